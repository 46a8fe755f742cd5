"""Background work of costs: thin, and harmless at any time."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from costs import sums
from costs.anomalies.finding import look
from costs.budgets.watching import watch as watch_budgets
from costs.imports import pulling, undoing, waiting
from costs.price_list import price_regions, refresh_from_list
from costs.reconciliation import refresh as reconciliation
from costs.report.mailing import send_report
from costs.unit_costs import refresh as unit_costs
from costs.what_if import keep as what_ifs


@shared_task(name="costs.refresh_sums", ignore_result=True, expires=280, soft_time_limit=600)
def refresh_sums() -> None:
    """Estimated costs of the current month, kept ready; every five minutes."""
    sums.refresh()


@shared_task(name="costs.refresh_late_sums", ignore_result=True, expires=20 * 3600, soft_time_limit=3600)
def refresh_late_sums() -> None:
    """The months that late lines can have changed; nightly."""
    sums.refresh_late()


@shared_task(name="costs.watch", ignore_result=True, expires=3000, soft_time_limit=1200)
def watch() -> None:
    """Budgets that pass a threshold, days that cost more than usual; hourly."""
    today = sums.utc_today()
    watch_budgets(today)
    look(today)


@shared_task(name="costs.refresh_unit_costs", ignore_result=True, expires=580, soft_time_limit=3600)
def refresh_unit_costs() -> None:
    """Count what deliveries cost, today's and what was not counted yet; every ten minutes, harmless at any time."""
    unit_costs.refresh()


@shared_task(name="costs.refresh_what_ifs", ignore_result=True, expires=3600, soft_time_limit=3600)
def refresh_what_ifs() -> None:
    """Reckon anew what every function could be changed to; nightly, harmless at any time."""
    what_ifs.refresh_what_ifs()


@shared_task(name="costs.work_on_bill", ignore_result=True, soft_time_limit=1800, time_limit=1860)
def work_on_bill(import_id: str) -> None:
    """Look into a bill, or take it. Sent twice, or to two workers, one of them does it."""
    waiting.work(import_id)


@shared_task(name="costs.continue_bills", ignore_result=True, expires=50)
def continue_bills() -> None:
    """Bills whose worker died, or whose message was lost; every minute, harmless at any time."""
    for import_id in waiting.claimable().values_list("pk", flat=True)[:20]:
        work_on_bill.delay(str(import_id))


@shared_task(name="costs.forget_bills", ignore_result=True, expires=3600)
def forget_bills() -> None:
    """What was replaced long ago, and the files of old imports; daily, harmless at any time."""
    undoing.forget_displaced()
    undoing.purge_files()


@shared_task(name="costs.monthly_report", ignore_result=True, expires=3000, soft_time_limit=900)
def monthly_report() -> None:
    """The report of the past month by e-mail: hourly on the first three days, until it was sent once."""
    today = sums.utc_today()
    send_report(sums.month_before(sums.month_of(today)), today)


@shared_task(name="costs.reconcile", ignore_result=True, expires=3000, soft_time_limit=1800)
def reconcile() -> None:
    """Hold estimates against bills that changed, and once a day the latest months; hourly, harmless at any time."""
    reconciliation.refresh()


@shared_task(name="costs.take_delivered_bills", ignore_result=True, expires=3000, soft_time_limit=3000)
def take_delivered_bills() -> None:
    """Reports that AWS put into our bucket since; hourly."""
    if settings.BILL_PREFIX:
        pulling.take_delivered(settings.BILL_PREFIX)


@shared_task(name="costs.ask_cost_explorer", ignore_result=True, expires=3600, soft_time_limit=1800)
def ask_cost_explorer() -> None:
    """The last days from Cost Explorer, within the month's budget of requests; daily, when switched on."""
    if settings.COST_EXPLORER:
        today = sums.utc_today()
        pulling.pull(today - timedelta(days=settings.COST_EXPLORER_DAYS), today)


@shared_task(name="costs.refresh_prices", ignore_result=True, expires=3600, soft_time_limit=1800)
def refresh_prices() -> None:
    """What AWS's price list says now beside what the book says; weekly, when switched on."""
    if settings.PRICE_REFRESH:
        refresh_from_list(price_regions())
