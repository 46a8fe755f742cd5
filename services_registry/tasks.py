"""Background work of this app: thin doors that carry ids only."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from services_registry import batches
from services_registry.batches.schedules import run_due
from services_registry.function_facts import QUICK, SLOW
from services_registry.guardrails.evaluate import evaluate, evaluate_after_timeouts
from services_registry.registry import sync_all
from services_registry.standings import refresh_standings as refresh
from services_registry.telemetry import partitions
from services_registry.telemetry.doors.pull import pull_all
from services_registry.telemetry.metrics import check, compare, store


@shared_task(name="services_registry.wake_runner", ignore_result=True)
def wake_runner() -> None:
    """There is something to do: the runner of this process looks now."""
    batches.this_runner().start()
    batches.this_runner().wake()


@worker_ready.connect
def start_runner(**_signal: Any) -> None:
    """Batches go on as soon as a worker is there, with or without a message."""
    batches.this_runner().start()


@worker_shutting_down.connect
def hold_runner(**_signal: Any) -> None:
    """The worker was asked to stop: claim nothing any more."""
    batches.this_runner().hold()


@worker_shutdown.connect
def stop_runner(**_signal: Any) -> None:
    """What is under way has its time; the rest is left to its leases."""
    batches.this_runner().stop(settings.BATCH_STOP_SECONDS)


@shared_task(name="services_registry.run_schedules", ignore_result=True, expires=30)
def run_schedules() -> None:
    """Start the batches whose time has come; every 30 seconds, and harmless at any time and twice at once."""
    run_due()


@shared_task(name="services_registry.sync_functions", ignore_result=True, expires=3000, soft_time_limit=3000)
def sync_functions() -> None:
    """Bring new and changed functions in, from every account and region; hourly, and harmless at any time."""
    sync_all()


@shared_task(name="services_registry.sync_details", ignore_result=True, expires=20 * 3600, soft_time_limit=4 * 3600)
def sync_details() -> None:
    """Read every function in full, with what the listing does not tell; nightly, and harmless at any time."""
    sync_all(full=True)


@shared_task(name="services_registry.refresh_standings", ignore_result=True, expires=280, soft_time_limit=600)
def refresh_standings() -> None:
    """What functions came to up to now, for the shorter ranges; every five minutes, and harmless at any time."""
    refresh(QUICK)


@shared_task(name="services_registry.refresh_long_standings", ignore_result=True, expires=3600, soft_time_limit=3600)
def refresh_long_standings() -> None:
    """The same for the ranges of months; nightly."""
    refresh(SLOW)


@shared_task(name="services_registry.clean_reports", ignore_result=True, expires=20 * 3600, soft_time_limit=3600)
def clean_reports() -> None:
    """Day partitions of reports: make the next ones, drop those past their time; nightly, harmless at any time."""
    partitions.clean()
    store.forget_old()
    compare.compare_again()


@shared_task(name="services_registry.pull_logs", ignore_result=True, expires=3000, soft_time_limit=3000)
def pull_logs() -> None:
    """Read the logs of functions whose lines do not come in by a subscription; hourly, and harmless at any time."""
    if settings.LOG_PULL:
        pull_all()


@shared_task(name="services_registry.evaluate_findings", ignore_result=True, expires=3000, soft_time_limit=1800)
def evaluate_findings() -> None:
    """Hold every function against every rule; hourly, and harmless at any time and twice at once."""
    evaluate()


@shared_task(name="services_registry.evaluate_timeouts", ignore_result=True, soft_time_limit=300)
def evaluate_timeouts(function_ids: list[int]) -> None:
    """The same for functions of which time-outs just came in, by the rules that cannot wait."""
    evaluate_after_timeouts(function_ids)


@shared_task(name="services_registry.check_metrics", ignore_result=True, expires=280, soft_time_limit=1000)
def check_metrics(asked: bool = False) -> None:
    """What CloudWatch counted up to the last full hour: comes every five minutes and asks when the hour, or as long as the
    budget says, is over. `asked`: a person wants it now."""
    if settings.METRIC_CHECKS or asked:
        check.check_all(asked=asked)


@shared_task(name="services_registry.watch_hot", ignore_result=True, expires=55, soft_time_limit=120)
def watch_hot() -> None:
    """The same by the minute for the hot set; nothing is asked while it is empty."""
    if settings.METRIC_CHECKS:
        check.watch_hot()
