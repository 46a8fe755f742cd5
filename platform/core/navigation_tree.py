"""The left navigation: entries of all apps, in five groups, as one person may see them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from core import slots

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

logger = logging.getLogger(__name__)

GROUPS: dict[str, _StrOrPromise] = {
    "home": _("Home"),
    "deliveries": _("Deliveries"),
    "batches": _("Batches"),
    "functions": _("Functions"),
    "costs": _("Costs"),
    "admin": _("Administration"),
}


@dataclass(slots=True)
class NavLink:
    label: _StrOrPromise
    url: str
    icon: str
    active: bool = False


@dataclass(slots=True)
class NavGroup:
    name: str
    label: _StrOrPromise
    links: list[NavLink] = field(default_factory=list)


def groups_for(request: HttpRequest) -> list[NavGroup]:
    """Groups with at least one entry; the entry with the longest matching address is active."""
    user = getattr(request, "user", None)
    groups = {name: NavGroup(name, label) for name, label in GROUPS.items()}
    for entry in slots.navigation:
        if entry.permission and not (user and user.has_perm(entry.permission)):
            continue
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            logger.warning("navigation entry without a page url_name=%s", entry.url_name)
            continue
        group = groups.setdefault(entry.group, NavGroup(entry.group, entry.group.title()))
        group.links.append(NavLink(entry.label, url, entry.icon))
    shown = [group for group in groups.values() if group.links]
    _mark_active(shown, request.path)
    return shown


def _mark_active(groups: list[NavGroup], path: str) -> None:
    fitting = [
        link
        for group in groups
        for link in group.links
        if path == link.url or (link.url != "/" and path.startswith(link.url.rstrip("/") + "/"))
    ]
    if fitting:
        max(fitting, key=lambda link: len(link.url)).active = True
