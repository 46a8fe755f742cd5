"""The list of batches with its search, what runs now above it, and their panel on the home page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core import formats
from core.pagination import KeysetPage
from services_registry.batch_filters import BatchFilter, chips_of
from services_registry.batch_search import EXAMPLES, SOURCES, work_names
from services_registry.batches.progress import progress_of
from services_registry.choices import OPEN_BATCHES, TONES, BatchState
from services_registry.models import Batch

IN_PANEL = 6
OF_LATE = timedelta(days=14)
ORDER = ["-created", "-id"]
NARROWING = ("state", "capability", "by")
# Large values that no list shows.
HEAVY = ("selection", "context", "payload", "plan")


@require_GET
def batch_list(request: HttpRequest) -> HttpResponse:
    filters = BatchFilter(request.GET, queryset=Batch.objects.defer(*HEAVY), request=request)
    # A search that cannot be understood shows nothing, with the reason above it: never silently everything.
    found = filters.qs if filters.is_valid() else Batch.objects.none()
    page = KeysetPage.of(found, order=ORDER, request=request)
    chips = chips_of(filters)
    filtered = any(value for name, value in request.GET.items() if name != "cursor")
    context = {
        "page": page,
        "rows": [dressed(batch) for batch in page.rows],
        "filters": filters,
        "narrowing": [filters.form[name] for name in NARROWING],
        "problems": filters.errors.get("q", []),
        "notes": filters.search.notes if filters.search else [],
        "chips": chips,
        "filtered": filtered,
        "examples": EXAMPLES,
        "sources": SOURCES,
        "work_names": work_names(),
        "running": [] if filtered or "cursor" in request.GET else _running(),
        "query": request.GET.urlencode(),
    }
    return render(request, "services_registry/batch_list.html", context, status=200 if filters.is_valid() else 400)


@require_GET
def running_batches(request: HttpRequest) -> HttpResponse:
    """The block above the list, fetched again while something runs."""
    return render(request, "services_registry/_batch_running.html", {"running": _running()})


@require_GET
def home_panel(request: HttpRequest) -> HttpResponse:
    """Batches under way, and those of late in which something failed."""
    running = _running()
    failed = _newest(
        Batch.objects.filter(failed__gt=0, created__gt=timezone.now() - OF_LATE).exclude(state__in=OPEN_BATCHES),
        IN_PANEL - len(running[:3]),
    )
    return render(request, "services_registry/_batch_panel.html", {"running": running, "failed": failed})


def _running() -> list[Any]:
    """The newest open ones: running, and paused or halted, which wait for a person."""
    return _newest(Batch.objects.filter(state__in=OPEN_BATCHES), IN_PANEL)


def _newest(batches: QuerySet[Batch], most: int) -> list[Any]:
    return [dressed(batch) for batch in batches.defer(*HEAVY).order_by("-created")[:most]]


def dressed(batch: Any) -> Any:
    """The row with what its template shows: tone, percentage, length, remaining time. No queries."""
    progress = progress_of(batch)
    batch.tone = "yellow" if batch.state == BatchState.DONE and batch.failed else TONES.get(batch.state, "secondary")
    batch.percent = progress.percent
    batch.elapsed = timedelta(seconds=progress.elapsed_s)
    batch.eta = ""
    if progress.eta_s is not None:
        batch.eta = _("about %(time)s left") % {"time": formats.duration_ms_text(progress.eta_s * 1000)}
    return batch
