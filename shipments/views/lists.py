"""What the three lists share: filters, a keyset page, a capped count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.pagination import KeysetPage, capped_count
from shipments.filters import chips_of

COUNT_CAP = 10_000


def render_list(
    request: HttpRequest,
    queryset: QuerySet[Any],
    kind: type[django_filters.FilterSet],
    template: str,
    *,
    order: Sequence[str],
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    filters = kind(request.GET, queryset=queryset)
    # A filter that cannot be understood shows nothing, with the reason beside it: never silently everything.
    found = filters.qs if filters.is_valid() else queryset.none()
    page = KeysetPage.of(found, order=order, request=request)
    count, more = capped_count(found, COUNT_CAP)
    context = {
        "filters": filters,
        "page": page,
        "count": count,
        "more": more,
        "chips": chips_of(filters),
        "clear_url": "?",
    }
    return render(request, template, context | (extra or {}), status=200 if filters.is_valid() else 400)
