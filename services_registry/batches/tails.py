"""The log tails of our own invocations: telemetry that costs no extra call, written many at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from core.aws import invoke as aws
from core.aws.invoke import Invocation
from services_registry.batches.claims import Claim
from services_registry.choices import Outcome
from services_registry.models import Chunk, InvocationReport
from services_registry.telemetry.ingest import REPORT_KINDS, OwnTail, ingest_tails
from services_registry.telemetry.parser import PlatformLine, parse_message

logger = logging.getLogger(__name__)

SWEPT = timedelta(hours=1)
AT_ONCE = 500
_FAILED = {aws.TIMED_OUT: "timeout", aws.FUNCTION_ERROR: "error", Outcome.REJECTED.value: "error"}


@dataclass(frozen=True, slots=True)
class Tail(OwnTail):
    """One tail of ours."""

    @classmethod
    def of(cls, claim: Claim, invocation: Invocation, report: PlatformLine | None) -> Tail:
        """Of a call that went well only the REPORT counts, and that has been read already."""
        name, region = claim.function
        failed = _FAILED.get(invocation.outcome, "")
        line = report if invocation.outcome == aws.SUCCEEDED else None
        return cls(name, region, invocation.request_id, invocation.log_tail, failed, line)


def report_in(invocation: Invocation) -> PlatformLine | None:
    """The REPORT of this very invocation in its log tail."""
    # A text REPORT stands at the end of the tail; the function's own lines before it need not be parsed.
    start = max(0, invocation.log_tail.rfind("REPORT RequestId"))
    for line in parse_message(invocation.log_tail[start:]):
        if not isinstance(line, PlatformLine) or line.kind not in REPORT_KINDS:
            continue
        if line.request_id == invocation.request_id and line.duration_ms is not None:
            return line
    return None


def keep(tails: Sequence[Tail]) -> None:
    """Store tails. Failing must not undo what has been settled: what is missing is found by `sweep`."""
    try:
        ingest_tails(tails)
    except (DatabaseError, ValueError):
        logger.exception("log tails not ingested count=%s", len(tails))


def sweep() -> int:
    """Store the tails of the last hour that a stopped process did not get to; returns how many."""
    recent = Chunk.objects.filter(finished__gte=timezone.now() - SWEPT).exclude(log_tail="").exclude(request_id="")
    # Only the last days' partitions of reports are looked into; a report's time is near the end of its chunk.
    stored = InvocationReport.objects.filter(
        request_id=OuterRef("request_id"), at__gte=timezone.now() - SWEPT - timedelta(days=1)
    )
    rows = list(
        recent.exclude(Exists(stored)).values_list(
            "batch__function_name", "batch__region", "request_id", "log_tail", "outcome"
        )
    )
    for part in _parts([Tail(name, region, rid, text, _FAILED.get(o, "")) for name, region, rid, text, o in rows]):
        keep(part)
    return len(rows)


def _parts(tails: list[Tail]) -> Iterable[list[Tail]]:
    return (tails[start : start + AT_ONCE] for start in range(0, len(tails), AT_ONCE))
