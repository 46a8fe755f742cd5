"""What the frame (`base.html`) needs on every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from core import slots
from core.middleware import preference_of
from core.navigation_tree import PRODUCT, address_of, navigation_html


def _alerts(request: HttpRequest) -> list[str]:
    allowed = (alert for alert in slots.alerts if not alert.permission or request.user.has_perm(alert.permission))
    return [address for alert in allowed if (address := address_of(alert.url_name))]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Navigation and alerts are lazy: fragments never pay for them."""
    return {
        "product": PRODUCT,
        "preference": preference_of(request),
        "time_zone_name": timezone.get_current_timezone_name(),
        "navigation": SimpleLazyObject(lambda: navigation_html(request)),
        "alert_urls": SimpleLazyObject(lambda: _alerts(request)),
        "shows_sample_data": settings.SAMPLE_DATA,
        "request_id": getattr(request, "request_id", ""),
    }
