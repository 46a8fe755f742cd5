"""Monthly reports: which there are, making one, and its PDF."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.errors import RefusedError
from costs.models import CostFunctionMonth, MonthlyReport
from costs.report.making import make_report
from costs.sums import utc_today
from costs.views.asked import asked


@require_GET
def report_list(request: HttpRequest) -> HttpResponse:
    """Months of which costs are known, or a report was made."""
    made = {report.month: report for report in MonthlyReport.objects.all()}
    known = set(CostFunctionMonth.objects.order_by().values_list("month", flat=True).distinct())
    months = [month for month in asked(request).months if month in known or month in made]
    rows = [(month, made.get(month)) for month in months]
    return render(request, "costs/report_list.html", {"rows": rows, "current": utc_today().replace(day=1)})


@require_GET
def report_pdf(request: HttpRequest, month: str) -> FileResponse:
    return pdf_response(get_object_or_404(MonthlyReport, month=month_of(month)))


@operator_required
@require_POST
def report_make(request: HttpRequest, month: str) -> HttpResponse:
    """Waits for the printing function: a few seconds when it is cold."""
    try:
        report = make_report(month_of(month), actor=request.user)
        words = _("The report of %(month)s is made: %(pages)d pages.")
        messages.success(request, words % {"month": month, "pages": report.pages})
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("cost-reports")


def month_of(text: str) -> date:
    """Raises Http404 for what is no month, or one to come."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Http404 from error
    if month > utc_today():
        raise Http404
    return month


def pdf_response(report: MonthlyReport) -> FileResponse:
    """Raises Http404 when the file is gone from the store."""
    try:
        stream = default_storage.open(report.file)
    except FileNotFoundError as error:
        raise Http404(_("The file of this report is gone. Make it again.")) from error
    response = FileResponse(stream, content_type="application/pdf", filename=f"costs-{report.month:%Y-%m}.pdf")
    response["Cache-Control"] = "private, no-store"
    return response
