"""The home page: a frame whose panels the apps serve as fragments; one slow or failing panel hurts only itself."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from core import slots

logger = logging.getLogger(__name__)


def _panels_for(request: HttpRequest) -> list[dict[str, Any]]:
    panels = []
    for panel in slots.home_panels:
        if panel.permission and not request.user.has_perm(panel.permission):
            continue
        try:
            url = reverse(panel.url_name)
        except NoReverseMatch:
            logger.warning("home panel without an address url_name=%s", panel.url_name)
            continue
        panels.append({"title": panel.title, "url": url, "width": panel.width, "tall": panel.tall})
    return panels


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/home.html", {"panels": _panels_for(request)})
