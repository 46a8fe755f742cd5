"""One question about a request: is it for a piece of a page or for a whole page?"""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

R = TypeVar("R", bound=HttpResponse)


def is_fragment(request: HttpRequest) -> bool:
    """True when htmx asks for a fragment; False for whole pages, boosted links and history restores."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def vary_on_fragment(response: R) -> R:
    """Mark a response that differs between fragment and page, so that caches keep them apart."""
    patch_vary_headers(response, ["HX-Request", "HX-Boosted"])
    return response
