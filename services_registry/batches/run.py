"""Working on one claimed chunk: `ask` builds the request, invokes and decides; `write` writes it down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from core.aws import invoke as aws
from core.aws.errors import AwsError
from core.aws.invoke import Invocation
from services_registry import capabilities
from services_registry.batches import settle
from services_registry.batches.claims import Claim
from services_registry.batches.decide import Decision, Failure, decide
from services_registry.batches.gates import Gates, jittered
from services_registry.batches.request import Request, envelope_request, payloads_request, plain_request
from services_registry.batches.tails import Tail, report_in
from services_registry.capabilities import Capability, ItemFailed, NotNow, SelectionError
from services_registry.choices import ChunkState, Outcome
from services_registry.telemetry.parser import PlatformLine

logger = logging.getLogger(__name__)

CLICK_S = 0.05
"""Unless the batch was seen to go on so lately, it is asked once more: nothing is invoked later after a click."""
LONGEST_PAUSE_S = 30.0
SETTLE_PATIENCE_S = 120.0
_database_sections = threading.BoundedSemaphore(6)


@contextmanager
def database() -> Iterator[None]:
    """A section that talks to the database: few at a time, and the connection goes back to the pool at its end."""
    with _database_sections:
        try:
            yield
        finally:
            if not connection.in_atomic_block:  # a test's own transaction
                connection.close()


@dataclass(slots=True)
class Prepared:
    """What to send for a claim; without a request everything in `decision` is decided already."""

    capability: Capability | None
    request: Request | None
    decision: Decision | None = None


@dataclass(slots=True)
class Worked:
    """An invocation that is over, or was not needed; what became of it is still to be written."""

    claim: Claim
    decision: Decision
    prepared: Prepared
    invocation: Invocation | None = None
    report: PlatformLine | None = None

    @property
    def request_bytes(self) -> int | None:
        return self.prepared.request.size if self.prepared.request else None

    @property
    def all_succeeded(self) -> bool:
        """Every item of an invocation that was made."""
        return self.invocation is not None and self.decision.all_succeeded(self.claim.ids)

    @property
    def plain(self) -> bool:
        """Without effects of a capability: it can be written together with others of its kind."""
        return self.prepared.capability is None and self.claim.batch.envelope and self.all_succeeded

    @property
    def tail(self) -> Tail | None:
        """Its log, for telemetry."""
        if self.invocation is None or not self.invocation.log_tail:
            return None
        return Tail.of(self.claim, self.invocation, self.report)


def ask(claim: Claim, gates: Gates) -> Worked:
    """Build the request, invoke, decide. Nothing is written yet, so that the function's place is free at once."""
    prepared = _prepare(claim)
    if prepared.request is None or prepared.decision is not None:
        return Worked(claim, prepared.decision or Decision(ChunkState.DONE), prepared)
    if not _still_wanted(claim):
        return Worked(claim, Decision(ChunkState.QUEUED, pause_s=0.0, uncounted=True), prepared)
    invocation = _invoke(claim, prepared.request, gates)
    decision = _decide(claim, invocation, prepared.request, gates)
    return Worked(claim, decision, prepared, invocation, report_in(invocation))


def write(worked: Worked) -> bool:
    """Write what became of a claim; False when it was not ours any more, or could not be written.

    Tries until the database takes it: the answer is in hand, and asking for it again would cost an invocation.
    """
    deadline, pause = time.monotonic() + SETTLE_PATIENCE_S, 0.2
    while True:
        try:
            return settle.write(
                worked.claim, worked.decision, capability=worked.prepared.capability, invocation=worked.invocation,
                report=worked.report, request_bytes=worked.request_bytes,
            )  # fmt: skip
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() > deadline:
                logger.exception("chunk not settled, its lease will run out chunk=%s", worked.claim.chunk_id)
                return False
            logger.warning("chunk not settled yet chunk=%s error=%s", worked.claim.chunk_id, error)
        time.sleep(jittered(pause))
        pause = min(5.0, pause * 2)


def _prepare(claim: Claim) -> Prepared:
    """Build the request. What a capability refuses, or does wrong, fails its items."""
    batch, keys = claim.batch, claim.keys
    if not keys:
        return Prepared(None, None, Decision(ChunkState.DONE))
    if not batch.capability:
        if not batch.envelope:
            return Prepared(None, plain_request(batch, keys[0], claim.payloads))
        return _guarded(claim, None, lambda: payloads_request(claim, claim.payloads or "", keys))
    try:
        capability = capabilities.get(batch.capability)
    except SelectionError as error:
        return _refused(None, keys, Outcome.ITEM_ERROR, "UnknownCapability", error.message)
    with database():
        return _guarded(claim, capability, lambda: _admitted(capability, claim, keys))


def _admitted(capability: Capability, claim: Claim, keys: list[str]) -> Request:
    capability.admit(claim.batch, claim.group, claim.chunk_id)
    return envelope_request(capability, claim, keys)


def _guarded(claim: Claim, capability: Capability | None, make: Callable[[], Request]) -> Prepared:
    keys = claim.keys
    try:
        request = make()
    except (OperationalError, InterfaceError) as error:
        logger.warning("request not made, database away chunk=%s error=%s", claim.chunk_id, error)
        return Prepared(capability, None, Decision(ChunkState.QUEUED, pause_s=1.0, uncounted=True))
    except NotNow as later:
        waits_for = (later.type, later.message, "")
        pause_s = jittered(later.pause_s)
        return Prepared(
            capability, None, Decision(ChunkState.QUEUED, "", waits_for, pause_s=pause_s, uncounted=True, in_turn=True)
        )
    except ItemFailed as failure:
        return _refused(capability, keys, Outcome.ITEM_ERROR, failure.type, failure.message)
    except AwsError as error:
        return _refused(capability, keys, Outcome.UNREACHABLE, "StorageError", str(error))
    except Exception as error:  # a capability's bug must fail its items, not run for ever
        logger.exception("request not made batch=%s chunk=%s", claim.batch.pk, claim.chunk_id)
        return _refused(capability, keys, Outcome.ITEM_ERROR, type(error).__name__, str(error))
    if not request.keys:
        return Prepared(capability, None, Decision(ChunkState.DONE, failures=_gone(request)))
    return Prepared(capability, request)


def _refused(capability: Capability | None, keys: list[str], outcome: str, type: str, message: str) -> Prepared:
    failures = dict.fromkeys(keys, Failure(outcome, type, message))
    return Prepared(capability, None, Decision(ChunkState.FAILED, outcome, (type, message, ""), failures=failures))


def _gone(request: Request) -> dict[str, Failure]:
    message = "It no longer exists: it was removed after the start."
    return dict.fromkeys(request.gone, Failure(Outcome.ITEM_ERROR, "Gone", message))


def _still_wanted(claim: Claim) -> bool:
    """Whether nobody paused or cancelled the batch since it was claimed."""
    if time.monotonic() - claim.last_seen_live < CLICK_S:
        return True
    try:
        with database(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM services_registry_batch WHERE id = %s AND state = 'running' AND NOT cancel_requested",
                [claim.batch.pk],
            )
            return cursor.fetchone() is not None
    except DatabaseError:
        return False


def _invoke(claim: Claim, request: Request, gates: Gates) -> Invocation:
    batch = claim.batch
    gates.begin(claim.function)
    try:
        invocation = aws.invoke(
            batch.function_name,
            request.body,
            region=batch.region,
            qualifier=batch.qualifier,
            timeout_s=claim.timeout_s,
        )
    finally:
        gates.end(claim.function)
    if invocation.outcome != aws.SUCCEEDED:
        logger.info(
            "chunk invoked batch=%s chunk=%s attempt=%s outcome=%s error=%s request_id=%s seconds=%.2f", batch.pk,
            claim.chunk_id, claim.attempt, invocation.outcome, invocation.error_type, invocation.request_id,
            invocation.seconds,
        )  # fmt: skip
    return invocation


def _decide(claim: Claim, invocation: Invocation, request: Request, gates: Gates) -> Decision:
    waited_s = 0.0 if claim.waiting_since is None else (_now() - claim.waiting_since.timestamp())
    decision = decide(claim, invocation, request.keys, waited_s)
    decision.failures |= _gone(request)
    if invocation.outcome == aws.THROTTLED:
        pause = gates.throttled(claim.function, invocation.retry_after)
    else:
        pause = jittered(min(LONGEST_PAUSE_S, 0.5 * 2 ** min(claim.waits, 10)))
        if invocation.outcome != aws.UNREACHABLE:
            gates.answered(claim.function)
    if decision.pause_s is not None:
        decision.pause_s = max(decision.pause_s, pause)
    return decision


def _now() -> float:
    return time.time()
