"""What becomes of a chunk and its items after an invocation: decisions only, nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.aws import invoke as aws
from core.aws.invoke import Invocation
from services_registry.batches.answer import Answer, AnswerError, read_answer
from services_registry.batches.claims import LONGEST_WAIT_S, Claim
from services_registry.choices import ChunkState, Outcome

MAX_ATTEMPTS = 3
"""A chunk whose answer got lost, or whose worker vanished, is sent at most this often. What is not repeatable: once."""
FEWEST_WAITS = 20
"""Pauses grow to 30 s at most, so that this many of them pass long before the patience is over."""
TOO_LARGE = frozenset({"RequestTooLargeException", "RequestEntityTooLargeException", "Function.ResponseSizeTooLarge"})
NO_PROGRESS = ("NoProgress", "The function handed everything back without trying.")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item failed: an `Outcome`, a short stable type, a sentence."""

    outcome: str
    type: str
    message: str


@dataclass(slots=True)
class Decision:
    """What is to be written, all of it in one transaction.

    `values` are results still to be applied; `failures` are final; `again` are keys for a new chunk. The keys in `divide`
    get two new chunks, unless the batch has no more divisions to spend: then their `failures` hold. `pause_s` puts the chunk
    back into the queue; `in_turn`: it only waits for its turn, which uses up no patience. `response` is the answer of a
    plain run.
    """

    state: str
    outcome: str = ""
    error: tuple[str, str, str] = ("", "", "")  # type, message, stack
    values: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    divide: list[str] = field(default_factory=list)
    pause_s: float | None = None
    uncounted: bool = False
    in_turn: bool = False
    response: Any = None

    def all_succeeded(self, ids: Mapping[str, int]) -> bool:
        """Whether nothing but success is to be written, for exactly these items."""
        plain = not (self.failures or self.again or self.divide) and self.pause_s is None
        return plain and self.state == ChunkState.DONE and self.values.keys() == ids.keys()


def decide(claim: Claim, invocation: Invocation, keys: list[str], waited_s: float) -> Decision:
    """The consequences of an invocation for the `keys` that were sent.

    Args:
        waited_s: for how long AWS has been putting this chunk off, in seconds.
    """
    outcome = invocation.outcome
    error = (invocation.error_type, invocation.error_message, invocation.error_stack)
    if outcome == aws.SUCCEEDED:
        return _answered(claim, invocation, keys)
    if outcome == aws.THROTTLED or (outcome == aws.UNREACHABLE and not invocation.sent):
        return _put_off(claim, invocation, keys, error, waited_s)
    if outcome == aws.UNREACHABLE:
        return _answer_lost(claim, invocation, keys, error)
    failed = Decision(ChunkState.FAILED, outcome, error, failures=_all(keys, outcome, error))
    failed.response = _response(claim, invocation)
    if outcome in (aws.TIMED_OUT, aws.FUNCTION_ERROR) or error[0] in TOO_LARGE:
        failed.divide = _parts(keys)  # one bad item, or one too large, must not take the others along
    if error[0] in TOO_LARGE:
        failed.outcome = Outcome.REJECTED
        failed.failures = _all(keys, Outcome.REJECTED, error)
    return failed


def _answered(claim: Claim, invocation: Invocation, keys: list[str]) -> Decision:
    if not claim.batch.envelope:
        response = _response(claim, invocation)
        return Decision(ChunkState.DONE, Outcome.SUCCEEDED, values={keys[0]: {}}, response=response)
    try:
        answer = read_answer(invocation.payload, keys, claim)
    except AnswerError as problem:
        error = ("BadAnswer", str(problem), "")
        failures = _all(keys, Outcome.FUNCTION_ERROR, error)
        return Decision(ChunkState.FAILED, Outcome.FUNCTION_ERROR, error, failures=failures, divide=_parts(keys))
    return _sorted_out(answer, keys)


def _sorted_out(answer: Answer, keys: list[str]) -> Decision:
    decision = Decision(ChunkState.DONE, Outcome.SUCCEEDED, values=answer.values, durations=answer.durations)
    decision.failures = {key: Failure(Outcome.ITEM_ERROR, *error) for key, error in answer.errors.items()}
    if len(answer.unfinished) == len(keys):
        decision.failures = _all(keys, Outcome.TIMED_OUT, (*NO_PROGRESS, ""))
    else:
        decision.again = answer.unfinished
    return decision


def _put_off(
    claim: Claim, invocation: Invocation, keys: list[str], error: tuple[str, str, str], waited_s: float
) -> Decision:
    """Back into the queue: the function did not run, so this was no attempt."""
    # Both, so that a clock that jumps does not end the patience.
    if waited_s > LONGEST_WAIT_S and claim.waits >= FEWEST_WAITS:
        said = f"Put off for {round(waited_s / 60)} minutes. {error[1]}"
        failures = _all(keys, invocation.outcome, (error[0], said, ""))
        return Decision(ChunkState.FAILED, invocation.outcome, error, failures=failures, uncounted=True)
    pause = invocation.retry_after or 0.0
    return Decision(ChunkState.QUEUED, invocation.outcome, error, pause_s=pause, uncounted=True)


def _answer_lost(claim: Claim, invocation: Invocation, keys: list[str], error: tuple[str, str, str]) -> Decision:
    """The function may have run. What may be repeated is sent again; for the rest its log is asked."""
    if not claim.batch.repeatable:
        return Decision(ChunkState.CHECKING, invocation.outcome, error)
    if claim.attempt < MAX_ATTEMPTS:
        return Decision(ChunkState.QUEUED, invocation.outcome, error, pause_s=0.0)
    failures = _all(keys, invocation.outcome, error)
    return Decision(ChunkState.FAILED, invocation.outcome, error, failures=failures)


def _parts(keys: list[str]) -> list[str]:
    """What can be divided: nothing, when there is one item only."""
    return keys if len(keys) > 1 else []


def _all(keys: list[str], outcome: str, error: tuple[str, str, str]) -> dict[str, Failure]:
    message = f"{error[1]}\n{error[2]}".strip()
    return dict.fromkeys(keys, Failure(outcome, error[0], message))


def _response(claim: Claim, invocation: Invocation) -> Any:
    """The answer of a plain run, as JSON, else as text; None for a batch envelope."""
    if claim.batch.envelope or not invocation.payload:
        return None
    try:
        return json.loads(invocation.payload)
    except ValueError:
        return invocation.payload.decode(errors="replace")
