"""Rules of which documents are expected: the list, and changing one after trying it out on real deliveries."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.access import admin_required
from shipments.choices import ExpectedState
from shipments.completeness import changes
from shipments.completeness.expect import Expected
from shipments.completeness.preview import Preview, preview
from shipments.completeness.rules import Rule
from shipments.document_rule_forms import DocumentRuleForm
from shipments.models import CompletenessProgress, DocumentRule, Shipment
from shipments.models.completeness import SINGLETON

ENDED_SHOWN = 20


@login_required
@require_GET
def rule_list(request: HttpRequest) -> HttpResponse:
    """Those that hold or will, then those that ended last."""
    today, rules = timezone.now().date(), DocumentRule.objects.select_related("carrier")
    current = rules.filter(active=True).exclude(valid_until__lte=today)
    ended = rules.exclude(pk__in=current.values("pk")).order_by("-changed")[:ENDED_SHOWN]
    context = {
        "rules": sorted(current, key=lambda row: (row.document_type, [-part for part in _weight(row)])),
        "ended": ended,
        "progress": CompletenessProgress.objects.filter(pk=SINGLETON).first(),
    }
    return render(request, "shipments/completeness/rules.html", context)


def _weight(row: DocumentRule) -> tuple[int, int]:
    weight = Rule.of(row).weight
    return weight[0], weight[2]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rule_edit(request: HttpRequest, pk: int | None = None) -> HttpResponseBase:
    """The form (GET) and what the rule would do (GET with its fields), for everybody; saving it (POST) for admins."""
    stored = get_object_or_404(DocumentRule.objects.select_related("carrier"), pk=pk) if pk else None
    if request.method == "POST":
        return _save(request, stored)
    if "document_type" not in request.GET:
        return _page(request, DocumentRuleForm(instance=stored), stored, None)
    form = DocumentRuleForm(request.GET, instance=stored)
    if not form.is_valid():
        return _page(request, form, stored, None, status=400)
    return _page(request, form, stored, preview(Rule.of(form.rule()), instead_of=pk))


@admin_required
def _save(request: HttpRequest, stored: DocumentRule | None) -> HttpResponse:
    form = DocumentRuleForm(request.POST, instance=stored)
    if not form.is_valid():
        return _page(request, form, stored, None, status=400)
    rule = changes.save_rule(form.rule(), actor=request.user)
    messages.success(request, _("Saved: %(rule)s. Deliveries are being gone over.") % {"rule": rule})
    return redirect("document-rules")


def _page(
    request: HttpRequest, form: DocumentRuleForm, stored: DocumentRule | None, found: Preview | None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "stored": stored, "preview": found, "examples": _examples(found) if found else []}
    return render(request, "shipments/completeness/rule.html", context, status=status)


def _examples(found: Preview) -> list[dict[str, Any]]:
    rows = Shipment.objects.only("tracking_number", "carrier", "status").select_related("carrier")
    known = rows.in_bulk([example.delivery_id for example in found.examples])
    return [
        {"shipment": known[example.delivery_id], "before": _words(example.before), "after": _words(example.after)}
        for example in found.examples
        if example.delivery_id in known
    ]


def _words(row: Expected | None) -> str:
    if row is None:
        return _("not expected")
    if row.there:
        return _("is there")
    return str(ExpectedState(row.state).label)


@admin_required
@require_POST
def rule_end(request: HttpRequest, pk: int) -> HttpResponse:
    """From today on it holds no more."""
    rule = get_object_or_404(DocumentRule, pk=pk)
    changes.end_rule(rule, actor=request.user)
    messages.success(request, _("Ended: %(rule)s. What was ordered before keeps it.") % {"rule": rule})
    return redirect("document-rules")
