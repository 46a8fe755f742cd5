"""The list of deliveries as a file."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.csv_stream import csv_response
from shipments.listing.page import asked_by, words_now


@login_required
@require_GET
def shipments_csv(request: HttpRequest) -> HttpResponseBase:
    """What the list shows with its filters, order and columns, without pages; streamed."""
    asked = asked_by(request)
    if not asked.valid:
        said = [str(error) for errors in asked.filters.errors.values() for error in errors]
        words = "\n".join([*said, *([asked.problem] if asked.problem else [])])
        return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")
    header = [column.name for column in asked.columns]
    return csv_response(f"deliveries-{timezone.localdate():%Y-%m-%d}.csv", header, asked.exported(words_now()))
