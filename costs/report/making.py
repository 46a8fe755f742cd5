"""Making the report of a month: figures, page, PDF by the printing function, kept in the document store."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import partial
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from costs.models import MonthlyReport
from costs.report.figures import figures_of
from costs.sums import refresh_month, utc_today
from shipments.documents.pages import print_page


class ReportError(RefusedError):
    """The report could not be made; the message says why."""

    code = "report_not_made"
    status = 502


def make_report(month: date, *, actor: Any, source: str = "page") -> MonthlyReport:
    """The report of a month, from sums that are made anew; of the current month so far. Replaces an earlier one.

    Raises:
        RefusedError: there is nothing to report.
        ReportError: the printing function did not do it.
    """
    refresh_month(month)
    figures = figures_of(month, utc_today())
    if not figures.shown.days and not figures.services:
        raise RefusedError(
            _("Nothing is known of the costs of %(month)s.") % {"month": f"{month:%Y-%m}"}, code="nothing"
        )
    html = render_to_string("costs/report.html", {"figures": figures, "made": timezone.now()})
    printed = print_page(html, f"costs-{month:%Y-%m}.pdf")
    if not printed.pdf:
        raise ReportError(_("The report could not be printed: %(why)s") % {"why": printed.problem})
    return _keep(month, printed.pdf, printed.pages, actor, source)


def _keep(month: date, pdf: bytes, pages: int, actor: Any, source: str) -> MonthlyReport:
    digest = hashlib.sha256(pdf).hexdigest()
    name = default_storage.save(f"cost-reports/costs-{month:%Y-%m}.pdf", ContentFile(pdf))
    who = actor.get_username() if actor else "system"
    with transaction.atomic():
        earlier = MonthlyReport.objects.select_for_update().filter(month=month).values_list("file", flat=True).first()
        values = {"file": name, "pages": pages, "bytes": len(pdf), "sha256": digest, "made": timezone.now()}
        report, _new = MonthlyReport.objects.update_or_create(month=month, defaults={**values, "made_by_name": who})
        record(
            actor=actor,
            verb="cost_report.made",
            target=report,
            source=source,
            summary=str(report),
            after={"sha256": digest},
        )
        if earlier and earlier != name:
            transaction.on_commit(partial(default_storage.delete, earlier))
    return report
