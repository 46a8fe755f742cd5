"""Chunks whose outcome nobody knows: sent, but no answer came. The function's log is asked; nothing is guessed."""

from __future__ import annotations

from typing import Any

from services_registry import capabilities
from services_registry.batches import settle
from services_registry.batches.claims import Claim, Claims
from services_registry.batches.decide import Decision, Failure
from services_registry.batches.reconcile import Ambiguous, NotFound, Ran, Verdict, reconcile
from services_registry.capabilities import SelectionError
from services_registry.choices import ChunkState, Outcome
from services_registry.models import Chunk

AT_ONCE = 20
ASK_AGAIN_S = 5.0
UNREADABLE_S = 30.0
MOST_QUESTIONS = 240
"""A log that cannot be read for so long is left to a person."""
LOST = Failure(
    Outcome.UNREACHABLE, "WorkerLost", "The workers that ran this went away before its answer was kept, three times."
)
ANSWER_LOST = "The function succeeded; its answer was lost on the way. See the log."


def check_due() -> int:
    """Ask after the chunks that are due; returns how many are settled now."""
    claims = Claims().take_to_check(AT_ONCE)
    return sum(_check(claim) for claim in claims)


def _check(claim: Claim) -> bool:
    try:
        kind = capabilities.get(claim.batch.capability) if claim.batch.capability else None
    except SelectionError:
        kind = None
    if claim.batch.repeatable:  # it was sent as often as it may be
        return settle.write(claim, _failed(claim, LOST), capability=kind)
    verdict = reconcile(Chunk.objects.select_related("batch").get(pk=claim.chunk_id))
    decision = _decision(claim, verdict)
    _note(claim, verdict)
    report = verdict.report if isinstance(verdict, Ran) else None
    # A capability gets no values of a lost answer: there are none. It is told of failures.
    written = settle.write(claim, decision, capability=None if decision.values else kind, report=report)
    return written and decision.pause_s is None


def _decision(claim: Claim, verdict: Verdict | None) -> Decision:
    if isinstance(verdict, Ran):
        if verdict.status == "success":
            done = Decision(ChunkState.DONE, Outcome.SUCCEEDED, ("AnswerLost", ANSWER_LOST, ""))
            done.values = {key: {"answer": "lost"} for key in claim.keys}
            return done
        outcome = Outcome.TIMED_OUT if verdict.status == "timeout" else Outcome.FUNCTION_ERROR
        words = verdict.error_message or "Its answer was lost on the way; the log says how it ended."
        return _failed(claim, Failure(outcome, verdict.error_type or "AnswerLost", words))
    if isinstance(verdict, NotFound) and verdict.final:
        words = "AWS never began this invocation: the function's log does not know it. It is safe to try again."
        return _failed(claim, Failure(Outcome.UNREACHABLE, "NotStarted", words))
    if isinstance(verdict, Ambiguous):
        found = f" Look at: {', '.join(verdict.request_ids[:5])}." if verdict.request_ids else ""
        words = f"Nobody can say whether this ran: {verdict.doubt.label}.{found}"
        return _failed(claim, Failure(Outcome.UNREACHABLE, "OutcomeUnknown", words))
    if claim.waits >= MOST_QUESTIONS:
        words = "The function's log could not be read. Look there whether this ran before trying again."
        return _failed(claim, Failure(Outcome.UNREACHABLE, "OutcomeUnknown", words))
    pause = UNREADABLE_S if verdict is None else ASK_AGAIN_S
    return Decision(
        ChunkState.CHECKING, Outcome.UNREACHABLE, ("AnswerLost", "Its log is being asked.", ""), pause_s=pause
    )


def _failed(claim: Claim, failure: Failure) -> Decision:
    error = (failure.type, failure.message, "")
    return Decision(ChunkState.FAILED, failure.outcome, error, failures=dict.fromkeys(claim.keys, failure))


def _note(claim: Claim, verdict: Verdict | None) -> None:
    """Keep which invocation it was, and what it logged."""
    request_id = getattr(verdict, "request_id", "")
    if request_id:
        log: Any = settle.clean(getattr(verdict, "log", ""), 8_000)
        Chunk.objects.filter(pk=claim.chunk_id).update(request_id=request_id[:64], **({"log_tail": log} if log else {}))
