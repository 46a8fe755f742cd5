"""The runaway incident, replayed round after round: what the drill measures. Needs Django set up with a stack's addresses."""

from __future__ import annotations

import base64
import gzip
import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from core.aws.functions import create_function
from core.aws.invoke import SUCCEEDED, THROTTLED, invoke
from core.roles import OPS_LEAD, ensure_groups, give_role
from costs.price_book import seed_prices
from services_registry import pricing
from services_registry.choices import FindingState
from services_registry.function_facts import usage_of
from services_registry.guardrails.after_ingest import SOON_S
from services_registry.guardrails.evaluate import evaluate, evaluate_after_timeouts
from services_registry.guardrails.stop import stop_function
from services_registry.models import Finding, FirehoseKey, Function, FunctionDay
from services_registry.registry import sync_all

CALLS, TIMEOUT_S, MEMORY_MB, HOURS = 1_000, 900, 1_024, 48
DELIVERY_S = 60  # the buffer of the Firehose stream, as docs/telemetry.md says to set it
REACTION_S = 300  # from the notification until a person has read the preview and pressed the button
FRIDAY, EVENING = 4, 18
ALONE, STOPPED = "runaway-alone", "runaway-stopped"
HANDLER = "def handler(event, context):\n    return {}\n"


class DrillError(Exception):
    """A part did not happen; the message says which."""


@dataclass(slots=True)
class Outcome:
    """Seconds are simulated, since the first call began. `at_once`: calls of a round."""

    at_once: int = CALLS
    detected_s: int | None = None
    stopped_s: int | None = None
    rounds: int = 0
    refused: int = 0
    gb_seconds_usd: Decimal = Decimal(0)
    requests_usd: Decimal = Decimal(0)

    @property
    def calls(self) -> int:
        return self.rounds * self.at_once

    @property
    def usd(self) -> Decimal:
        return self.gb_seconds_usd + self.requests_usd


@dataclass(frozen=True, slots=True)
class Stage:
    """What the drill plays with."""

    functions: dict[str, Function]
    start: datetime
    key: str
    lead: Any


def replay(stage: Stage, name: str, *, stopping: bool, hours: int = HOURS, at_once: int = CALLS) -> Outcome:
    """Round after round: whoever was ended is followed by the next call, as long as AWS takes it."""
    function, start, outcome = stage.functions[name], stage.start, Outcome(at_once)
    for second in range(0, hours * 3600, TIMEOUT_S):
        if stopping and outcome.detected_s is not None and second >= outcome.detected_s + REACTION_S:
            _stop(function, outcome, stage.lead)
        if second % 3600 == 0:
            evaluate(now=start + timedelta(seconds=second))
        if _refused(function):
            outcome.refused += 1
            continue
        outcome.rounds += 1
        _deliver(function, start + timedelta(seconds=second + TIMEOUT_S), stage.key, at_once)
        looked = second + TIMEOUT_S + DELIVERY_S + SOON_S
        evaluate_after_timeouts([function.pk], now=start + timedelta(seconds=looked))
        if outcome.detected_s is None and _found(function):
            outcome.detected_s = looked
    _add_cost(function, outcome)
    return outcome


def _stop(function: Function, outcome: Outcome, lead: Any) -> None:
    """Once, by the same service as the page's button."""
    if outcome.stopped_s is None and outcome.detected_s is not None:
        row = stop_function(function, reason="every call times out since the deploy", actor=lead)
        if row.problems:
            raise DrillError(f"The stop failed: {row.problems}")
        outcome.stopped_s = outcome.detected_s + REACTION_S


def _refused(function: Function) -> bool:
    """Whether AWS refuses a call now: a real one."""
    answer = invoke(function.name, b"{}", region=function.region, timeout_s=5)
    if answer.outcome not in (SUCCEEDED, THROTTLED):
        raise DrillError(f"The local AWS did not answer as expected: {answer.outcome} {answer.error_message}")
    return answer.outcome == THROTTLED


def _found(function: Function) -> bool:
    return Finding.objects.filter(function=function, rule="timeouts", state=FindingState.OPEN).exists()


def _deliver(function: Function, ended: datetime, key: str, calls: int) -> None:
    """What CloudWatch Logs and Firehose send for one round, to our address."""
    envelope = {
        "messageType": "DATA_MESSAGE", "owner": function.account, "logGroup": function.log_group,
        "logStream": f"{ended:%Y/%m/%d}/[$LATEST]drill", "subscriptionFilters": ["all"],
        "logEvents": list(_events(ended, calls)),
    }  # fmt: skip
    record = {"data": base64.b64encode(gzip.compress(json.dumps(envelope).encode(), 1)).decode()}
    body = json.dumps({"requestId": str(uuid.uuid4()), "timestamp": 0, "records": [record]})
    answer = Client().post(
        "/functions/telemetry/firehose/", body, content_type="application/json",
        headers={"X-Amz-Firehose-Access-Key": key},
    )  # fmt: skip
    if answer.status_code != 200:
        raise DrillError(f"The delivery was refused: {answer.status_code} {answer.content!r}")


def _events(ended: datetime, calls: int) -> Iterator[dict[str, Any]]:
    at = int(ended.timestamp() * 1000)
    for number in range(calls):
        request_id = uuid.uuid4()
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {TIMEOUT_S * 1000}.00 ms\tBilled Duration: {TIMEOUT_S * 1000} ms\t"
            f"Memory Size: {MEMORY_MB} MB\tMax Memory Used: 134 MB\tStatus: timeout"
        )
        yield {"id": str(number), "timestamp": at, "message": report}


def _add_cost(function: Function, outcome: Outcome) -> None:
    """From the day sums that the ingest made, by the price book."""
    rows = list(FunctionDay.objects.filter(function=function))
    outcome.gb_seconds_usd = pricing.total(
        [usage_of(function, row.day, 0, row.billed_ms, row.billed_mb_ms) for row in rows]
    ) or Decimal(0)
    calls = [usage_of(function, row.day, row.invocations, 0, Decimal(0)) for row in rows]
    outcome.requests_usd = pricing.total(calls) or Decimal(0)
    counted = sum(row.invocations for row in rows)
    if counted != outcome.calls:
        raise DrillError(f"{counted:,} calls were counted, but {outcome.calls:,} were delivered")


def _publish(*names: str) -> dict[str, Function]:
    """In the local AWS, and from there in the registry."""
    for name in names:
        create_function(
            region=settings.AWS_REGION, code_zip=_packed(), FunctionName=name, Runtime="python3.12",
            Role="arn:aws:iam::123456789012:role/drill", Handler="app.handler", Timeout=TIMEOUT_S, MemorySize=MEMORY_MB,
        )  # fmt: skip
    sync_all()
    return {row.name: row for row in Function.objects.filter(name__in=names)}


def _packed() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", HANDLER)
    return packed.getvalue()


def _person() -> Any:
    person = get_user_model().objects.create_user("on-call")
    give_role(person, OPS_LEAD)
    return person


def prepare() -> Stage:
    """Prices, an ops lead, a key of Firehose and two functions in the local AWS."""
    seed_prices()
    ensure_groups()
    return Stage(_publish(ALONE, STOPPED), _friday_evening(), _firehose_key(), _person())


def _firehose_key() -> str:
    row = FirehoseKey(name="drill")
    key = row.new_key()
    row.save()
    return key


def _friday_evening() -> datetime:
    """The last one that is over for more than 48 hours."""
    latest = datetime.now(UTC) - timedelta(hours=HOURS + 1)
    day = latest - timedelta(days=(latest.weekday() - FRIDAY) % 7)
    start = day.replace(hour=EVENING, minute=0, second=0, microsecond=0)
    return start if start <= latest else start - timedelta(days=7)
