"""Running one chunk: claim, ask, invoke, settle. Running it twice counts once."""

from __future__ import annotations

import json
import logging
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from core.aws import invoke as aws
from core.aws.errors import AwsError
from core.aws.invoke import Invocation
from services_registry import capabilities
from services_registry.batches import settle
from services_registry.batches.answer import AnswerError, binary_opener, read_answer
from services_registry.batches.chunks import add_chunk
from services_registry.batches.dispatch import pump, pump_later
from services_registry.batches.leases import claim, held
from services_registry.batches.request import Request, envelope_request, plain_request
from services_registry.batches.target import timeout_of
from services_registry.capabilities import Capability, ItemFailed, SelectionError
from services_registry.choices import BatchState, ChunkState, ItemState, Outcome
from services_registry.models import Batch, BatchItem, Chunk
from services_registry.telemetry.ingest import REPORT_KINDS, ingest_tail
from services_registry.telemetry.parser import PlatformLine, parse_message

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""A chunk whose answer got lost, or whose worker vanished, is sent at most this often. A plain run is sent once."""
LONGEST_WAIT = timedelta(minutes=15)
"""After so long of being put off, the items fail and a person decides."""
LONGEST_PAUSE_S = 30.0
_random = random.SystemRandom()


def run_chunk(chunk_id: UUID) -> bool:
    """Work on a chunk if it can be claimed; False when somebody else has it, or it must wait, or it is gone."""
    token = claim(chunk_id)
    if not token:
        return False
    with held(chunk_id, token):
        chunk = Chunk.objects.select_related("batch").get(pk=chunk_id)
        _Run(chunk, token).work()
    wind_up(chunk.batch_id)
    pump()
    return True


def wind_up(batch_id: UUID) -> None:
    """After any change: cancel what waits if that was asked for, and finish the batch if nothing is left."""
    if Batch.objects.filter(pk=batch_id, state=BatchState.RUNNING, cancel_requested=True).exists():
        settle.cancel_rest(batch_id)
    if settle.finish_if_done(batch_id):
        settle.clear_exchange(batch_id)


class _Run:
    """One claimed chunk. Items are settled first and the chunk closed last: a crash between them loses nothing."""

    def __init__(self, chunk: Chunk, token: str) -> None:
        self.chunk = chunk
        self.batch = chunk.batch
        self.token = token
        self.capability: Capability | None = None

    def work(self) -> None:
        pending = BatchItem.objects.filter(chunk=self.chunk, state=ItemState.PENDING).order_by("position")
        keys = list(pending.values_list("key", flat=True))
        request = self._request(keys)
        if request is None or not request.keys:
            self._close(ChunkState.DONE if request else ChunkState.FAILED)
            return
        Chunk.objects.filter(pk=self.chunk.pk).update(request_bytes=request.size)
        invocation = aws.invoke(
            self.batch.function_name,
            request.body,
            region=self.batch.region,
            qualifier=self.batch.qualifier,
            timeout_s=timeout_of(self.batch.function_name, self.batch.region),
        )
        logger.info(
            "chunk invoked batch=%s chunk=%s outcome=%s request_id=%s seconds=%.2f",
            self.batch.pk, self.chunk.pk, invocation.outcome, invocation.request_id, invocation.seconds,
        )  # fmt: skip
        self._note(invocation)
        self._settle(invocation, request.keys)
        self._keep_tail(invocation)

    # --- before the call ------------------------------------------------------------------------------------------

    def _request(self, keys: list[str]) -> Request | None:
        """What to send. None when it cannot be made: the items have failed then."""
        if not keys or not self.batch.capability:
            return plain_request(self.batch, keys)
        try:
            self.capability = capabilities.get(self.batch.capability)
            request = envelope_request(self.capability, self.chunk, keys)
        except (OperationalError, InterfaceError):
            raise
        except ItemFailed as failure:
            self._fail(keys, Outcome.ITEM_ERROR, failure.type, failure.message)
        except SelectionError as error:
            self._fail(keys, Outcome.ITEM_ERROR, "UnknownCapability", error.message)
        except AwsError as error:
            self._fail(keys, Outcome.UNREACHABLE, "StorageError", str(error))
        except Exception as error:  # a capability's bug must fail its items, not run for ever
            logger.exception("request not made batch=%s chunk=%s", self.batch.pk, self.chunk.pk)
            self._fail(keys, Outcome.ITEM_ERROR, type(error).__name__, str(error))
        else:
            self._fail(request.gone, Outcome.ITEM_ERROR, "Gone", "It no longer exists: it was removed after the start.")
            return request
        return None

    # --- after the call -------------------------------------------------------------------------------------------

    def _settle(self, invocation: Invocation, keys: list[str]) -> None:
        outcome = invocation.outcome
        if outcome == aws.SUCCEEDED:
            self._take_answer(invocation, keys)
        elif outcome == aws.THROTTLED or (outcome == aws.UNREACHABLE and self._may_send_again(invocation)):
            self._put_off(invocation, keys)
        elif outcome == aws.TIMED_OUT and len(keys) > 1 and self.chunk.depth == 0:
            self._halve(keys)
        else:
            self._fail(keys, outcome, invocation.error_type, _words(invocation))
            self._keep_response(invocation)
            self._close(ChunkState.FAILED)

    def _take_answer(self, invocation: Invocation, keys: list[str]) -> None:
        if self.capability is None:
            self._keep_response(invocation)
            settle.succeed_run(self.batch, keys[0])
            self._close(ChunkState.DONE)
            return
        try:
            answer = read_answer(invocation.payload, keys, self.chunk)
        except AnswerError as error:
            self._fail(keys, Outcome.FUNCTION_ERROR, "BadAnswer", str(error))
            self._close(ChunkState.FAILED, Outcome.FUNCTION_ERROR, "BadAnswer", str(error))
            return
        opener = binary_opener(self.chunk)
        for key, value in answer.values.items():
            settle.apply_value(self.capability, self.batch, key, value, opener)
        for key, (error_type, message) in answer.errors.items():
            self._fail([key], Outcome.ITEM_ERROR, error_type, message)
        if answer.unfinished and len(answer.unfinished) == len(keys):
            self._fail(keys, Outcome.TIMED_OUT, "NoProgress", "The function handed everything back without trying.")
            answer.unfinished = []
        with transaction.atomic():
            if self._close(ChunkState.DONE) and answer.unfinished:
                add_chunk(self.chunk, answer.unfinished)

    def _may_send_again(self, invocation: Invocation) -> bool:
        return not invocation.sent or (self.capability is not None and self.chunk.attempt < MAX_ATTEMPTS)

    def _put_off(self, invocation: Invocation, keys: list[str]) -> None:
        """Back into the queue with a growing, jittered pause. An attempt that never reached AWS does not count."""
        now = timezone.now()
        since = self.chunk.waiting_since or now
        if now - since > LONGEST_WAIT:
            minutes = int(LONGEST_WAIT.total_seconds() // 60)
            message = f"Put off for {minutes} minutes. {_words(invocation)}"
            self._fail(keys, invocation.outcome, invocation.error_type, message)
            self._close(ChunkState.FAILED)
            return
        pause = max(invocation.retry_after or 0.0, min(LONGEST_PAUSE_S, 0.5 * 2 ** min(self.chunk.waits, 10)))
        pause *= _random.uniform(0.75, 1.25)
        self._mine().update(
            state=ChunkState.QUEUED,
            worker="",
            lease_until=None,
            dispatched=None,
            waits=F("waits") + 1,
            attempt=F("attempt") - (0 if invocation.sent else 1),
            waiting_since=since,
            not_before=now + timedelta(seconds=pause),
        )
        pump_later(pause + 0.1)

    def _halve(self, keys: list[str]) -> None:
        """One slow item should not cost the whole chunk: once more, in two halves."""
        middle = (len(keys) + 1) // 2
        with transaction.atomic():
            if self._close(ChunkState.FAILED):
                add_chunk(self.chunk, keys[:middle], deeper=True)
                add_chunk(self.chunk, keys[middle:], deeper=True)

    # --- small things ---------------------------------------------------------------------------------------------

    def _fail(self, keys: list[str], outcome: str, error_type: str, message: str) -> None:
        settle.fail_items(self.capability, self.batch, keys, outcome, error_type, message)

    def _mine(self) -> Any:
        """The chunk's row as long as this claim holds it."""
        return Chunk.objects.filter(pk=self.chunk.pk, worker=self.token, state=ChunkState.RUNNING)

    def _close(self, state: str, outcome: str = "", error_type: str = "", message: str = "") -> bool:
        fields: dict[str, Any] = {"state": state, "finished": timezone.now(), "lease_until": None}
        if outcome:
            fields |= {"outcome": outcome, "error_type": error_type, "error_message": settle.clean(message)}
        return bool(self._mine().update(**fields) == 1)

    def _note(self, invocation: Invocation) -> None:
        report = _report_in(invocation)
        self._mine().update(
            outcome=invocation.outcome,
            error_type=settle.clean(invocation.error_type, 120),
            error_message=settle.clean(_words(invocation)),
            request_id=invocation.request_id[:64],
            response_bytes=len(invocation.payload),
            log_tail=settle.clean(invocation.log_tail, 8_000),
            duration_ms=report.duration_ms if report else None,
            billed_ms=round(report.billed_ms) if report and report.billed_ms is not None else None,
            init_ms=report.init_ms if report else None,
            memory_mb=round(report.memory_mb) if report and report.memory_mb is not None else None,
        )

    def _keep_response(self, invocation: Invocation) -> None:
        """The answer of a plain run, shown on its page."""
        if self.capability is not None or not invocation.payload:
            return
        try:
            response = settle.without_nul(json.loads(invocation.payload))
        except ValueError:
            response = settle.clean(invocation.payload.decode(errors="replace"))
        self._mine().update(response=response)

    def _keep_tail(self, invocation: Invocation) -> None:
        """Our own calls are telemetry too. Its failure must not undo what has been settled."""
        if not invocation.log_tail:
            return
        failed = {aws.TIMED_OUT: "timeout", aws.FUNCTION_ERROR: "error"}.get(invocation.outcome, "")
        try:
            ingest_tail(
                function_name=self.batch.function_name,
                region=self.batch.region,
                text=invocation.log_tail,
                request_id=invocation.request_id,
                failed=failed,
            )
        except (DatabaseError, ValueError):
            logger.exception("log tail not ingested request_id=%s", invocation.request_id)


def _words(invocation: Invocation) -> str:
    return f"{invocation.error_message}\n{invocation.error_stack}".strip()


def _report_in(invocation: Invocation) -> PlatformLine | None:
    """The REPORT of this very invocation in its log tail."""
    for line in parse_message(invocation.log_tail):
        if not isinstance(line, PlatformLine) or line.kind not in REPORT_KINDS:
            continue
        if line.request_id == invocation.request_id and line.duration_ms is not None:
            return line
    return None
