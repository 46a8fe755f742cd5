"""What changed in all functions, and what came of the looks into AWS."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import current_app
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.audit import record
from core.pagination import KeysetPage, capped_count
from services_registry.function_changes import readable_changes
from services_registry.models import FunctionRevision, SyncRun
from services_registry.registry import Place, places
from services_registry.revision_filters import RevisionFilter

STALE = timedelta(hours=3)
"""The sync runs hourly: an older last one says that something is wrong."""


@login_required
@require_GET
def change_feed(request: HttpRequest) -> HttpResponse:
    """Every change that was seen, latest first; a function's first sight is none."""
    changes = FunctionRevision.objects.exclude(changes={}).select_related("function")
    filters = RevisionFilter(request.GET, queryset=changes)
    found = filters.qs if filters.is_valid() else changes.none()
    page = KeysetPage.of(found, order=["-seen", "-id"], request=request)
    count, more = capped_count(found)
    context = {
        "filters": filters, "page": page, "count": count, "more": more,
        "rows": [{"revision": revision, "changes": readable_changes(revision)} for revision in page.rows],
        "filtered": any(request.GET.get(name) for name in filters.form.fields),
    }  # fmt: skip
    return render(request, "services_registry/change_feed.html", context, status=200 if filters.is_valid() else 400)


@login_required
@require_GET
def sync_list(request: HttpRequest) -> HttpResponse:
    page = KeysetPage.of(SyncRun.objects.select_related("account"), order=["-started", "-id"], request=request)
    context = {"places": [_place(place) for place in places()], "page": page}
    return render(request, "services_registry/sync_list.html", context)


def _place(place: Place) -> dict[str, Any]:
    """One account and region with its last look and how that stands."""
    last = SyncRun.objects.filter(account=place.account, region=place.region).order_by("-started").first()
    state, tone = _("never synced"), "yellow"
    if last is not None:
        stale = timezone.now() - last.started > STALE
        state, tone = (
            (_("cannot be listed"), "red") if last.problem else
            (_("running"), "blue") if last.finished is None else
            (_("not synced lately"), "yellow") if stale else
            (_("in part"), "yellow") if last.failed_count else (_("up to date"), "green")
        )  # fmt: skip
    return {"place": place, "last": last, "state": state, "tone": tone}


@operator_required
@require_POST
def sync_now(request: HttpRequest) -> HttpResponse:
    """Look into AWS now, in the background."""
    full = "full" in request.POST
    task = "services_registry.sync_details" if full else "services_registry.sync_functions"
    with transaction.atomic():
        record(actor=request.user, verb="registry.sync", summary="full" if full else "changes")
        transaction.on_commit(lambda: current_app.send_task(task))
    messages.success(request, _("The sync has begun. This page shows what comes of it."))
    return redirect("sync-list")
