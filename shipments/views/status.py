"""Carrier codes: what nobody has mapped yet, mapping it with a preview, and going over the history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.access import admin_required, operator_required
from core.htmx import is_fragment, vary_on_fragment
from core.models import AuditEntry
from core.pagination import KeysetPage
from shipments.mapping_forms import MappingForm
from shipments.models import Carrier, CodeMapping, UnmappedCode
from shipments.reasons import reason_labels
from shipments.status import backlog, decisions, remap, runs
from shipments.status.changes import Change
from shipments.status.seed import VALID_FROM
from shipments.tasks import remap as remap_task

SHOWN = 20
NOT_PEOPLE = ("", "system", "sample")
POLL_S = 2


@operator_required
@require_GET
def code_list(request: HttpRequest) -> HttpResponse:
    """The backlog, what waits most first, and the latest decisions of people."""
    carrier = Carrier.objects.filter(code=request.GET.get("carrier", "")).first()
    rows = UnmappedCode.objects.select_related("carrier")
    mapped = CodeMapping.objects.select_related("carrier").filter(carrier__isnull=False)
    if carrier:
        rows, mapped = rows.filter(carrier=carrier), mapped.filter(carrier=carrier)
    else:
        mapped = mapped.exclude(changed_by__in=NOT_PEOPLE)
    page = KeysetPage.of(rows, order=["-shipments", "-id"], request=request)
    labels = reason_labels()
    context = {
        "page": page,
        "waiting": [_waiting(entry, labels) for entry in backlog.with_suggestions(page.rows)],
        "carrier": carrier,
        "carriers": _carriers_waiting(),
        "mapped": [_mapped(row, labels) for row in mapped.order_by("-changed", "-id")[:SHOWN]],
        "runs": [_run_line(entry) for entry in AuditEntry.objects.filter(verb="codes.rerun")[:5]],
    }
    return render(request, "shipments/code_list.html", context)


def _carriers_waiting() -> list[Any]:
    grouped = UnmappedCode.objects.values("carrier__code", "carrier__name").order_by()
    return list(grouped.annotate(shipments=Sum("shipments")).order_by("-shipments", "carrier__name"))


def _waiting(entry: backlog.Waiting, labels: dict[str, str]) -> dict[str, Any]:
    """A row with its two ways on: the preview of what is suggested, and the form."""
    row, said = entry.row, entry.suggestion
    query = {"carrier": row.carrier.code, "code": row.code}
    line = {"row": row, "suggestion": said, "map_url": f"{reverse('code-map')}?{urlencode(query)}" if row.code else ""}
    if said:
        # A reason that people do not know (any more) is not suggested.
        query |= {"status": said.status, "reason": said.reason if said.reason in labels else ""}
        line |= {"accept_url": f"{reverse('code-preview')}?{urlencode(query)}", "reason": labels.get(said.reason, "")}
    return line


def _mapped(row: CodeMapping, labels: dict[str, str]) -> dict[str, Any]:
    query = {"carrier": row.carrier.code if row.carrier else "", "code": row.code}
    url = f"{reverse('code-map')}?{urlencode(query)}"
    since = "" if row.valid_from == VALID_FROM else row.valid_from.isoformat()
    return {"row": row, "reason": labels.get(row.reason, row.reason), "url": url, "since": since}


def _run_line(entry: AuditEntry) -> dict[str, Any]:
    return {"entry": entry, "url": reverse("code-run", args=[entry.target.partition(":")[2]])}


@admin_required
@require_GET
def code_map(request: HttpRequest) -> HttpResponse:
    """Choose what a code means; the button leads to the preview."""
    carrier = get_object_or_404(Carrier, code=request.GET.get("carrier", ""))
    code = request.GET.get("code", "").strip()[:40]
    if not code:
        raise Http404(_("Events without a code cannot be mapped."))
    return render(request, "shipments/code_map.html", _map_context(carrier, code, None))


def _map_context(carrier: Carrier, code: str, form: MappingForm | None) -> dict[str, Any]:
    labels = reason_labels()
    row = UnmappedCode.objects.filter(carrier=carrier, code__iexact=code).first()
    known = CodeMapping.objects.select_related("carrier").filter(
        Q(carrier=carrier) | Q(carrier=None), code__iexact=code
    )
    own = known.filter(carrier=carrier).order_by("-valid_from").first()
    said = backlog.suggest(carrier.name, code, row.text if row else "")
    initial = {"carrier": carrier.code, "code": code}
    if own:
        initial |= {"status": own.status, "reason": own.reason, "valid_from": own.valid_from.isoformat()}
    elif said:
        initial |= {"status": said.status, "reason": said.reason}
    return {
        "carrier": carrier, "code": code, "row": row, "known": [_mapped(entry, labels) for entry in known],
        "suggestion": said, "form": form or MappingForm(initial=initial),
    }  # fmt: skip


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def code_preview(request: HttpRequest) -> HttpResponse:
    """What a mapping would change (GET); making it and going over the history (POST)."""
    form = MappingForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return _refused(request, form)
    change, carrier = form.change(), form.cleaned_data["carrier"]
    if request.method == "POST":
        _mapping, run = decisions.map_code(change, actor=request.user)
        return redirect("code-run", run_id=run.id)
    context = {
        "carrier": carrier, "change": change, "form": form, "differences": remap.preview(change),
        "reason": reason_labels().get(change.reason, ""),
        "back": f"{reverse('code-map')}?{urlencode({'carrier': carrier.code, 'code': change.code})}",
    }  # fmt: skip
    return render(request, "shipments/remap_preview.html", context)


def _refused(request: HttpRequest, form: MappingForm) -> HttpResponse:
    carrier, code = form.cleaned_data.get("carrier"), form.cleaned_data.get("code")
    if not carrier or not code:
        raise Http404(_("This carrier or code does not exist (any more)."))
    return render(request, "shipments/code_map.html", _map_context(carrier, code, form), status=400)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def code_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """What taking a mapping back would change, and doing it."""
    mapping = get_object_or_404(CodeMapping.objects.select_related("carrier"), pk=pk, carrier__isnull=False)
    carrier: Any = mapping.carrier
    change = Change(carrier.pk, mapping.code, undo=mapping.pk)
    if request.method == "POST":
        run = decisions.take_back_code(mapping, actor=request.user)
        return redirect("code-run", run_id=run.id)
    context = {
        "carrier": carrier, "change": change, "mapping": mapping, "differences": remap.preview(change),
        "back": reverse("code-list"),
    }  # fmt: skip
    return render(request, "shipments/remap_preview.html", context)


@operator_required
@require_GET
def code_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A re-run over the history: its progress, then what it changed. A second person may watch."""
    run = runs.load(str(run_id)) or runs.recorded(str(run_id))
    if run is None:
        raise Http404(_("This re-run is not known. The backlog shows what still waits."))
    context = {
        "run": run, "poll_s": POLL_S, "quiet": runs.is_quiet(run),
        "mapping": CodeMapping.objects.filter(pk=run.mapping_id).first() if run.mapping_id else None,
    }  # fmt: skip
    template = "shipments/_remap_live.html" if is_fragment(request) else "shipments/remap_run.html"
    return vary_on_fragment(render(request, template, context))


@admin_required
@require_http_methods(["POST"])
def code_run_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Send a run that nobody works on any more to a worker again; done twice is done once."""
    if runs.load(str(run_id)):
        remap_task.delay(str(run_id))
    return redirect("code-run", run_id=run_id)
