"""The completeness board: what is missing, getting it, and doing without it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from core.access import admin_required, operator_required
from core.bounded import bounded_count, bounded_page
from core.errors import RefusedError
from core.pagination import BadCursorError, KeysetPage
from services_registry.batch_forms import selection_of
from services_registry.views.batch_plan import show_plan
from shipments.completeness import board, changes
from shipments.completeness.filters import ExpectedFilter
from shipments.completeness.panel import panel_of
from shipments.completeness.work import Kind, kinds_of, rows_of
from shipments.filters import chips_of
from shipments.models import CompletenessProgress, CompletenessSettings, DocumentWaiver, ExpectedDocument, Shipment
from shipments.models.completeness import SINGLETON

PAGE_SIZE = 50
HOME_CARRIERS = 6


class WaiveForm(forms.Form):
    """Why; and what was chosen, as it came from the board."""

    reason = forms.CharField(
        label=gettext_lazy("Why these documents are not needed"), max_length=300,
        help_text=gettext_lazy("Kept with each delivery and in the audit trail."),
    )  # fmt: skip
    chosen = forms.JSONField(widget=forms.HiddenInput)
    back = forms.CharField(required=False, widget=forms.HiddenInput)


@login_required
@require_GET
def document_board(request: HttpRequest) -> HttpResponse:
    """Counts by carrier and age, and the rows of the address below them."""
    filters = ExpectedFilter(request.GET, queryset=ExpectedDocument.objects.all())
    found = filters.qs if filters.is_valid() else ExpectedDocument.objects.none()
    page = _page(request, found)
    newest = ExpectedDocument.objects.order_by("-pk").values_list("pk", flat=True).first()
    settings = CompletenessSettings.current()
    context = {
        "filters": filters,
        "shown": _bar(filters),
        "chips": chips_of(filters),
        "page": page,
        "rows": board.dressed(page.rows, automatic=settings.automatic),
        "count": bounded_count(found),
        "matrix": board.matrix_table(request.GET, every_carrier="all_carriers" in request.GET),
        "selection": json.dumps({"board": board.as_query(request.GET), "up_to": newest or 0}),
        "back": board.without(request.GET).urlencode(),
        "undo": _undo(request),
        "settings": settings,
        "progress": CompletenessProgress.objects.filter(pk=SINGLETON).first(),
        "may_run": request.user.has_perm("core.operate"),
    }
    return render(request, "shipments/completeness/board.html", context, status=200 if filters.is_valid() else 400)


SHOWN_FILTERS = ("q", "carrier", "type", "state", "turn", "age")


def _bar(filters: ExpectedFilter) -> list[forms.BoundField]:
    """The fields that people use; the others come from links."""
    return [filters.form[name] for name in SHOWN_FILTERS]


def _page(request: HttpRequest, found: Any) -> KeysetPage[Any]:
    rows, cursor = (
        found.select_related("shipment", "carrier", "last_batch").defer(*_UNSEEN),
        request.GET.get("cursor", ""),
    )

    def walk() -> Any:
        return board.walk_of(request.GET)

    try:
        page = bounded_page(rows, walk=walk, order=board.ORDER, cursor=cursor, size=PAGE_SIZE)
    except BadCursorError:
        page = bounded_page(rows, walk=walk, order=board.ORDER, size=PAGE_SIZE)
    return page.linked(request)


_UNSEEN = (
    "shipment__sender", "shipment__recipient", "shipment__parcels", "shipment__notes", "last_batch__selection",
    "last_batch__plan", "last_batch__payload", "last_batch__context",
)  # fmt: skip


def _undo(request: HttpRequest) -> dict[str, Any] | None:
    """What was waived a moment ago and can be taken back."""
    try:
        action = uuid.UUID(request.GET.get("undo", ""))
    except ValueError:
        return None
    count = DocumentWaiver.objects.filter(action=action)[:10_001].count()
    return {"action": action, "count": count} if count else None


@operator_required
@require_POST
def board_work(request: HttpRequest) -> HttpResponse:
    """Chosen rows as kinds of work: one alone leads to its plan at once, several are listed, each with its plan."""
    try:
        kinds = kinds_of(*_chosen(request))
    except RefusedError as error:
        return _refused(request, error)
    if len(kinds) == 1 and kinds[0].capability:
        kind = kinds[0]
        return show_plan(request, capability=kind.capability, selection=kind.selection, context=kind.context)
    context = {"kinds": [_as_form(kind) for kind in kinds], "back": request.POST.get("back", "")}
    return render(request, "shipments/completeness/work.html", context)


def _as_form(kind: Kind) -> dict[str, Any]:
    return {"kind": kind, "query": json.dumps(kind.selection["query"]), "context": json.dumps(kind.context)}


@operator_required
@require_POST
def board_waive(request: HttpRequest) -> HttpResponse:
    """Ask why, then do without the chosen documents; the board offers to take it back."""
    if "chosen" not in request.POST:
        try:
            asked, up_to = _chosen(request)
            form = WaiveForm(initial={"chosen": {"board": asked, "up_to": up_to}, "back": request.POST.get("back", "")})
            return _ask_why(request, form, asked, up_to)
        except RefusedError as error:
            return _refused(request, error)
    form = WaiveForm(request.POST)
    asked, up_to = _parts(form.data.get("chosen", ""))
    try:
        if not form.is_valid():
            return _ask_why(request, form, asked, up_to, status=400)
        rows = rows_of(asked, up_to)
        action, _count = changes.waive(rows, reason=form.cleaned_data["reason"], actor=request.user)
    except RefusedError as error:
        return _refused(request, error)
    return _to_board(form.cleaned_data["back"], undo=str(action))


def _ask_why(
    request: HttpRequest, form: WaiveForm, asked: Mapping[str, Any], up_to: int | None, status: int = 200
) -> HttpResponse:
    rows = rows_of(asked, up_to).filter(state__in=("waiting", "overdue", "failed", "running")).order_by()
    kinds = (
        ExpectedDocument.objects.filter(pk__in=rows.values("pk")[: changes.MOST_WAIVED + 1])
        .values("document_type").order_by("document_type").annotate(rows=Count("pk"))
    )  # fmt: skip
    total = sum(kind["rows"] for kind in kinds)
    named = dict(ExpectedDocument._meta.get_field("document_type").flatchoices)
    lines = [{"label": named[kind["document_type"]], "rows": kind["rows"]} for kind in kinds]
    context = {"form": form, "lines": lines, "total": total, "back": form["back"].value() or ""}
    return render(request, "shipments/completeness/waive.html", context, status=status)


@operator_required
@require_POST
def waiver_undo(request: HttpRequest, action: uuid.UUID) -> HttpResponse:
    """Take one click on waive back."""
    count = changes.take_back_waivers(action, actor=request.user)
    words = ngettext("%(n)s waiver taken back.", "%(n)s waivers taken back.", count)
    messages.success(request, words % {"n": f"{count:,}"})
    return _to_board(request.POST.get("back", ""))


@admin_required
@require_POST
def automatic_switch(request: HttpRequest) -> HttpResponse:
    changes.switch_automatic(request.POST.get("automatic") == "on", actor=request.user)
    return _to_board(request.POST.get("back", ""))


@login_required
@require_GET
def overdue_panel(request: HttpRequest) -> HttpResponse:
    """Of the home page: documents overdue by carrier; each number leads to exactly its rows of the board."""
    matrix = board.matrix_of(rows_of({"late": "true"}))

    def leads(**query: str) -> str:
        return f"{reverse('document-board')}?{urlencode({**query, 'late': 'true'})}"

    lines = [
        {"label": line.name, "count": line.total, "url": leads(carrier=line.code)}
        for line in matrix.lines[:HOME_CARRIERS]
    ]
    context = {"lines": lines, "matrix": matrix, "others": len(matrix.lines) - len(lines), "all_url": leads()}
    return render(request, "shipments/completeness/_home.html", context)


@login_required
@require_GET
def shipment_completeness(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel of one delivery, judged at this moment."""
    shipment = get_object_or_404(Shipment.objects.only("pk"), pk=pk)
    context = {"shipment": shipment, **panel_of(pk), "may_run": request.user.has_perm("core.operate")}
    return render(request, "shipments/completeness/_panel.html", context)


@operator_required
@require_POST
def waiver_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """One document of one delivery is needed after all."""
    shipment = get_object_or_404(Shipment.objects.only("pk"), pk=pk)
    changes.take_back_one(shipment.pk, request.POST.get("document_type", ""), actor=request.user)
    return redirect("shipment-detail", pk=pk)


def _chosen(request: HttpRequest) -> tuple[dict[str, Any], int | None]:
    """(filters of the board, newest row) of a posted selection. Raises RefusedError: nothing was chosen."""
    selection = selection_of(request.POST)
    if "keys" in selection:
        return {"ids": ",".join(str(key) for key in selection["keys"])}, None
    return _parts(selection["query"])


def _parts(chosen: Any) -> tuple[dict[str, Any], int | None]:
    if isinstance(chosen, str):
        try:
            chosen = json.loads(chosen)
        except ValueError:
            chosen = {}
    asked = chosen.get("board") if isinstance(chosen, dict) else None
    if not isinstance(asked, dict):
        raise changes.WaiveError(_("The selection cannot be understood. Go back and choose again."), code="selection")
    up_to = chosen.get("up_to")
    return asked, up_to if isinstance(up_to, int) else None


def _refused(request: HttpRequest, error: RefusedError) -> HttpResponse:
    context = {"problem": error.message, "back": request.POST.get("back", "")}
    return render(request, "shipments/completeness/work.html", context, status=error.status)


def _to_board(back: str, **more: str) -> HttpResponseRedirect:
    query = QueryDict(back, mutable=True)
    for name, value in more.items():
        query[name] = value
    return redirect(f"{reverse('document-board')}?{query.urlencode()}")
