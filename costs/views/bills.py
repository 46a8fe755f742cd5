"""Bills: the list, sending one, the page of one (what it would change, then what it changed), and taking it back."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.access import operator_required
from core.aws.errors import AwsError
from core.errors import RefusedError
from core.htmx import is_fragment, vary_on_fragment
from core.pagination import KeysetPage
from costs.billed import SAMPLE_DOOR
from costs.choices import BILL_TONES, BillState
from costs.imports import undoing, waiting
from costs.imports.shapes import UnreadableBillError
from costs.models import CostImport
from costs.views.bill_page import bill_context, sums_of


class BillForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Bill"),
        help_text=gettext_lazy(
            "FOCUS 1.0 to 1.2 or a Cost and Usage Report, as CSV (also packed) or parquet, or an answer of Cost Explorer as "
            "JSON. You see what it would change before anything is changed."
        ),
    )
    account = forms.CharField(
        label=gettext_lazy("Account"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("Only for answers of Cost Explorer, which do not say whose they are."),
    )


@login_required
@require_GET
def bill_list(request: HttpRequest) -> HttpResponse:
    page = KeysetPage.of(CostImport.objects.defer("by_service"), order=["-created", "-id"], request=request)
    rows = [
        {
            "made": made,
            "tone": BILL_TONES[BillState(made.state)],
            "sums": sums_of(made),
            "sample": made.door == SAMPLE_DOOR,
        }
        for made in page.rows
    ]
    return render(request, "costs/bill_list.html", {"page": page, "rows": rows})


@operator_required
@require_http_methods(["GET", "POST"])
def bill_upload(request: HttpRequest) -> HttpResponse:
    form = BillForm(request.POST, request.FILES) if request.method == "POST" else BillForm()
    if request.method == "POST" and form.is_valid():
        account = form.cleaned_data["account"]
        try:
            made = waiting.receive(form.cleaned_data["file"], actor=request.user, door="page", account=account)
        except UnreadableBillError as error:
            form.add_error("file", str(error))
        except AwsError:
            form.add_error("file", _("The document store cannot be reached. Try again in a minute."))
        else:
            known = "?known=1" if made.state == BillState.DONE else ""
            return redirect(reverse("bill-detail", args=[made.pk]) + known)
    status = 400 if request.method == "POST" else 200
    return render(request, "costs/bill_upload.html", {"form": form}, status=status)


@login_required
@require_GET
def bill_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    made = get_object_or_404(CostImport, pk=pk)
    template = "costs/_bill_live.html" if is_fragment(request) else "costs/bill_detail.html"
    return vary_on_fragment(render(request, template, bill_context(made) | {"known": "known" in request.GET}))


@operator_required
@require_POST
def bill_action(request: HttpRequest, pk: UUID, verb: str) -> HttpResponse:
    """Confirm, discard, retry or undo; each is one service, and a refusal says why."""
    made = get_object_or_404(CostImport, pk=pk)
    try:
        if verb == "confirm":
            waiting.confirm(made, actor=request.user)
        elif verb == "retry":
            waiting.retry(made, actor=request.user)
        elif verb == "discard":
            waiting.discard(made, actor=request.user)
            messages.success(request, _("The file was discarded; nothing was changed by it."))
            return redirect("bill-list")
        else:
            undoing.undo(made, actor=request.user, reason=request.POST.get("reason", ""))
            messages.success(request, _("Taken back. What it had replaced counts again."))
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("bill-detail", pk)
