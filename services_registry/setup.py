"""Setup steps: the exchange bucket for large payloads, a first sync of the functions, and a first look at them."""

from collections.abc import Callable

from core import slots
from core.aws.errors import AwsError
from core.aws.storage import ensure_bucket
from core.roles import OPS_LEAD
from services_registry.guardrails.evaluate import evaluate
from services_registry.registry import sync_all


def _bucket(log: Callable[[str], None]) -> None:
    try:
        ensure_bucket()
    except AwsError as error:
        log(f"the exchange bucket could not be checked; large payloads will fail until it is there: {error}")
        return
    log("the exchange bucket is there and empties itself")


def _sync(log: Callable[[str], None]) -> None:
    for run in sync_all():
        if run.problem:
            log(f"AWS did not list its functions; the hourly sync will try again: {run.problem}")
        else:
            log(f"{run.seen} functions synced ({run.created} new, {run.changed} changed, {run.failed_count} failed)")


def _findings(log: Callable[[str], None]) -> None:
    found = evaluate()
    log(f"{found.functions} functions looked at, {found.opened} findings opened, {found.closed} closed")


slots.setup_steps.register(
    slots.SetupStep("exchange-bucket", _bucket, order=5),
    slots.SetupStep("sync-functions", _sync, order=30),
    slots.SetupStep("findings", _findings, order=95),
)
slots.role_permissions.register(slots.RolePermission(role=OPS_LEAD, permission="services_registry.stop_function"))
