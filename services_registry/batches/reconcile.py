"""What became of an invocation whose answer got lost: looked up in the function's own log, never guessed.

1. Our runtime writes which chunk it works on: the invocation that names this chunk is the one, for certain.
2. Otherwise it is among those that began when the chunk was sent, that nobody else's answer accounts for, and that
   name no other chunk. It is the one only if it is alone, and no other call of ours is in doubt at the same time; or
   if exactly as many are left as calls are in doubt and all of them ended alike, so that it does not matter which.
3. Its REPORT says how it ended. Without one it still runs, or, when it cannot run any more, a person decides.
4. Nothing found: it may still be written. Long after the last moment, it never began, provided that the log is known
   to speak at all.

Nothing is stored here; whoever asks settles the chunk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.aws.errors import AwsError
from services_registry.batches.function_log import Begun, LogPlace, Trace, begun_between, begun_for, speaks, trace_of
from services_registry.batches.target import DEFAULT_TIMEOUT_S, function_row
from services_registry.choices import ChunkState
from services_registry.models import Chunk, Function, InvocationReport
from services_registry.telemetry.parser import PlatformLine

logger = logging.getLogger(__name__)

CLOCKS_DIFFER = timedelta(seconds=5)
BEGINS_WITHIN = timedelta(seconds=60)
"""A synchronous call is not queued: it begins at once, or after the seconds of a cold start."""
LOG_DELAY = timedelta(seconds=15)
"""Before that long after the call, other beginnings may still be on their way into the log."""
GRACE = timedelta(seconds=60)
"""So long after an invocation must be over everything about it is written."""
MOST_SHARED = 10
"""Lost calls at the same time that are still compared with each other; beyond it a person looks."""
SPOKE_WITHIN = timedelta(days=7)
SAYS_ERRORS = ("python", "nodejs")
"""Runtimes whose log shows unhandled errors in a known form; a text REPORT line alone does not."""

Status = Literal["success", "error", "timeout"]


class Doubt(models.TextChoices):
    """Why a person must look."""

    SEVERAL = "several", _("several invocations fit")
    SHARED = "shared", _("another call to the same function got lost at the same time")
    NO_END = "no_end", _("it began, and its end was never written")
    OUTCOME = "outcome", _("it ended, and its log does not say whether it failed")
    SILENT = "silent", _("the function writes no log that could tell")


@dataclass(frozen=True, slots=True)
class Ran:
    """It ended. `certain`: the log names the chunk; otherwise this is the only invocation that fits.

    `report` is the REPORT line (billed time, memory), None where the log level leaves it out; `log` its last lines.
    """

    request_id: str
    status: Status
    report: PlatformLine | None
    certain: bool
    error_type: str = ""
    error_message: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """It began and is not known to have ended: ask again."""

    request_id: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """`final`: it was never begun, and may be sent again. Otherwise ask again; `until` is the last time to."""

    final: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A person decides, with the function's log: it is one of these invocations, or none."""

    request_ids: tuple[str, ...]
    doubt: Doubt


Verdict = Ran | Running | NotFound | Ambiguous


@dataclass(frozen=True, slots=True)
class Call:
    """The call in question. `over_by`: the function's time-out has passed then."""

    chunk: str
    sent: datetime
    over_by: datetime

    @property
    def settled_by(self) -> datetime:
        return self.over_by + GRACE


def reconcile(chunk: Chunk, *, now: datetime | None = None) -> Verdict | None:
    """What the log says about the last invocation of `chunk`, sent at `chunk.started`.

    None when it cannot be read now (the message is logged): ask again, and leave it to a person when that goes on.
    """
    function = function_row(chunk.batch.function_name, chunk.batch.region)
    call = call_of(chunk, function.timeout_s if function else DEFAULT_TIMEOUT_S)
    if call is None:
        return None
    place = LogPlace(
        (function.log_group if function else "") or f"/aws/lambda/{chunk.batch.function_name}",
        chunk.batch.region or settings.AWS_REGION,
    )
    now = now or timezone.now()
    try:
        found = _find(chunk, call, place, function, now)
        if not isinstance(found, list):
            return found
        traces = [trace_of(place, each, call.settled_by) for each in found]
    except AwsError as error:
        logger.warning("chunk not reconciled chunk=%s group=%s error=%s", chunk.pk, place.group, error)
        return None
    runtime, certain = function.runtime if function else "", bool(found[0].chunk)
    return agreed([judge(trace, call, now=now, certain=certain, runtime=runtime) for trace in traces])


def call_of(chunk: Chunk, timeout_s: int) -> Call | None:
    """None for a chunk that was never sent."""
    if chunk.started is None:
        return None
    return Call(str(chunk.pk), chunk.started, chunk.started + timedelta(seconds=timeout_s))


def _find(chunk: Chunk, call: Call, place: LogPlace, function: Function | None, now: datetime) -> list[Begun] | Verdict:
    first = call.sent - CLOCKS_DIFFER
    begun = begun_for(place, call.chunk, first, call.settled_by) if chunk.batch.envelope else []
    begun = begun or begun_between(place, first, call.sent + BEGINS_WITHIN)
    return pick(
        begun,
        call,
        now=now,
        known=_known([each.request_id for each in begun], chunk, function),
        others=_others_in_doubt(chunk, call),
        log_speaks=lambda: speaks(place, call.sent - SPOKE_WITHIN, now),
    )


def pick(
    begun: Sequence[Begun],
    call: Call,
    *,
    now: datetime,
    known: Collection[str],
    others: int,
    log_speaks: Callable[[], bool],
) -> list[Begun] | Verdict:
    """Which of the invocations that began is this call, or what to answer instead. Several: it is one of them.

    Args:
        known: request ids that belong to other calls.
        others: how many of our other calls of that function, made about then, have no answer yet.
        log_speaks: asked only when nothing is found at last.
    """
    mine = [each for each in begun if each.chunk == call.chunk and each.request_id not in known]
    if len(mine) == 1:
        return mine
    fitting = mine or [each for each in begun if not each.chunk and each.request_id not in known]
    ids = tuple(each.request_id for each in fitting)
    over = now >= call.settled_by
    if not fitting:
        if over and not log_speaks():
            return Ambiguous((), Doubt.SILENT)
        return NotFound(over, call.settled_by)
    if mine:
        return Ambiguous(ids, Doubt.SEVERAL)
    # An answer still under way will say which of these is another's.
    all_over = call.settled_by + BEGINS_WITHIN
    if now < call.sent + LOG_DELAY or (others and now < all_over):
        return NotFound(False, all_over)
    if others:
        alike = len(fitting) == others + 1 <= MOST_SHARED
        return sorted(fitting, key=lambda each: each.at) if alike else Ambiguous(ids, Doubt.SHARED)
    return fitting if len(fitting) == 1 else Ambiguous(ids, Doubt.SEVERAL)


def agreed(verdicts: Sequence[Verdict]) -> Verdict:
    """The first of several if all ended alike: the next one that is asked about finds the first one accounted for."""
    first = verdicts[0]
    if len(verdicts) == 1:
        return first
    ended = [verdict for verdict in verdicts if isinstance(verdict, Ran)]
    if len(ended) == len(verdicts) and len({verdict.status for verdict in ended}) == 1:
        return first
    ids = {request_id for verdict in verdicts for request_id in _ids(verdict)}
    return Ambiguous(tuple(sorted(ids)), Doubt.SHARED)


def _ids(verdict: Verdict) -> tuple[str, ...]:
    if isinstance(verdict, Ran | Running):
        return (verdict.request_id,)
    return verdict.request_ids if isinstance(verdict, Ambiguous) else ()


def judge(trace: Trace, call: Call, *, now: datetime, certain: bool, runtime: str) -> Verdict:
    """How the invocation of this call ended, if it did."""
    report = trace.report
    if report is None:
        if now < call.settled_by:
            return Running(trace.request_id)
        if not (trace.worked or trace.timed_out):
            return Ambiguous((trace.request_id,), Doubt.NO_END)
    status = _status(trace, runtime)
    if status is None:
        return Ambiguous((trace.request_id,), Doubt.OUTCOME)
    error_type = trace.error_type or (report.error_type if report else None) or ""
    failed = status != "success"
    return Ran(
        trace.request_id,
        status,
        report,
        certain,
        error_type if failed else "",
        trace.error_message if failed else "",
        trace.text,
    )


def _status(trace: Trace, runtime: str) -> Status | None:
    """None when the log does not say: a REPORT line in text form leaves out ordinary errors of the function."""
    stated = trace.report.status if trace.report else None
    if trace.timed_out or stated == "timeout":
        return "timeout"
    if stated in {"error", "failure"} or trace.raised:
        return "error"
    if stated == "success" or trace.worked or runtime.startswith(SAYS_ERRORS):
        return "success"
    return None


def _known(ids: list[str], chunk: Chunk, function: Function | None) -> set[str]:
    """Those of `ids` that belong to another call of ours.

    Reports that came with an answer count (`tail`). One from a log that was read does not: it may be this very call.
    """
    known = set(Chunk.objects.filter(request_id__in=ids).exclude(pk=chunk.pk).values_list("request_id", flat=True))
    answered = InvocationReport.objects.filter(function=function, request_id__in=ids, door="tail")
    return known | set(answered.values_list("request_id", flat=True))


def _others_in_doubt(chunk: Chunk, call: Call) -> int:
    """How many of our other chunks may have begun one of the same invocations. One being checked counts as running."""
    regions = {chunk.batch.region or settings.AWS_REGION}
    if settings.AWS_REGION in regions:
        regions.add("")
    either_side = BEGINS_WITHIN + CLOCKS_DIFFER
    others = Chunk.objects.exclude(pk=chunk.pk).filter(
        state__in=[ChunkState.RUNNING, ChunkState.CHECKING],
        batch__function_name=chunk.batch.function_name,
        batch__region__in=regions,
        started__gte=call.sent - either_side,
        started__lte=call.sent + either_side,
    )
    return others.count()
