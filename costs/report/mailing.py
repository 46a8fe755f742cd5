"""The report of the past month, made and told on the 1st: once, however often this is tried."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.money import format_money
from core.notices import tell
from core.notices.telling import people_wanting
from costs.models import MonthlyReport
from costs.overview import overview
from costs.report.making import make_report
from costs.told import REPORT, administrators


def send_report(month: date, today: date) -> bool:
    """Make the report of a month that is over and tell people; False when that was done before.

    Raises as `make_report`; then nobody is told, and the next try does it.
    """
    if MonthlyReport.objects.filter(month=month, mailed__isnull=False).exists():
        return False
    report = make_report(month, actor=None, source="schedule")
    with transaction.atomic():
        if not MonthlyReport.objects.filter(pk=report.pk, mailed=None).update(mailed=timezone.now()):
            return False
        _tell(report, today)
    return True


def _tell(report: MonthlyReport, today: date) -> None:
    """Administrators, and who chose to hear of it; an e-mail brings the PDF along."""
    shown = overview(report.month, today, "USD")
    words = {"month": f"{report.month:%Y-%m}", "spent": format_money(shown.total.spent, estimate=True)}
    people = {user.pk: user for user in [*administrators(), *people_wanting(REPORT)]}
    lines = [_("Estimated: %(spent)s") % words]
    if shown.total.change is not None:
        before = {"before": format_money(shown.total.before, estimate=True), "change": f"{shown.total.change:+.1%}"}
        lines.append(_("The month before: %(before)s (%(change)s)") % before)
    tell(
        people.values(), topic=REPORT, subject=_("Costs of %(month)s: %(spent)s") % words, text="\n".join(lines),
        url=reverse("cost-report", args=[f"{report.month:%Y-%m}"]), key=f"cost-report:{report.month:%Y-%m}",
        attachment=report.file,
    )  # fmt: skip
