"""An answer that got lost: the function's log says what became of the call, or a person is asked. Nobody guesses."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from core.aws import invoke as aws
from core.aws.errors import AwsConflict
from core.aws.functions import create_function
from services_registry.batches.function_log import Begun, Trace
from services_registry.batches.reconcile import (
    Ambiguous,
    Call,
    Doubt,
    NotFound,
    Ran,
    Running,
    Verdict,
    agreed,
    judge,
    pick,
    reconcile,
)
from services_registry.models import Batch, Chunk, Function
from services_registry.telemetry.parser import PlatformLine
from shipments.functions import runtime

PLAIN, CHUNKED = "reconciled-plain", "reconciled-chunked"
SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CALL = Call("chunk-1", SENT, SENT + timedelta(seconds=30))
EARLY = SENT + timedelta(seconds=20)
LATE = CALL.settled_by + timedelta(seconds=61)
PLAIN_HANDLER = """
import time

def handler(event, context):
    if event.get("crash"):
        raise ValueError("asked to crash")
    time.sleep(event.get("seconds", 0))
    return {"echo": event}
"""
CHUNKED_HANDLER = """
import time
from shipments.functions.runtime.batch import batch_handler

def work(item, context, shared):
    time.sleep(item.get("seconds", 0))
    return {"said": item["id"]}

handler = batch_handler(work)
"""


# --- which invocation it was ------------------------------------------------------------------------------------------


def began(request_id: str, chunk: str = "", after_s: float = 0.2) -> Begun:
    return Begun(request_id, SENT + timedelta(seconds=after_s), "stream", chunk)


def picked(*begun: Begun, now: datetime = LATE, known: str = "", others: int = 0, speaks: bool = True) -> Any:
    found = pick(begun, CALL, now=now, known=set(known.split()), others=others, log_speaks=lambda: speaks)
    return [each.request_id for each in found] if isinstance(found, list) else found


def test_the_invocation_that_names_the_chunk_is_the_one_whatever_else_runs() -> None:
    assert picked(began("a"), began("b", "chunk-1"), began("c", "chunk-2"), now=EARLY, others=3) == ["b"]


def test_otherwise_it_is_the_only_one_that_nobody_else_accounts_for() -> None:
    assert picked(began("a"), began("b"), began("c", "chunk-2"), known="a", now=EARLY) == ["b"]


def test_two_that_fit_are_a_persons_matter() -> None:
    assert picked(began("a"), began("b")) == Ambiguous(("a", "b"), Doubt.SEVERAL)
    assert picked(began("a", "chunk-1"), began("b", "chunk-1")) == Ambiguous(("a", "b"), Doubt.SEVERAL)


def test_waits_for_answers_under_way_before_it_takes_one_that_fits() -> None:
    assert picked(began("a"), others=1, now=EARLY) == NotFound(False, CALL.settled_by + timedelta(seconds=60))
    assert picked(began("a"), now=SENT + timedelta(seconds=3)) == NotFound(
        False, CALL.settled_by + timedelta(seconds=60)
    )


def test_calls_lost_together_are_told_apart_only_when_each_can_have_one() -> None:
    assert picked(began("b", after_s=1), began("a"), others=1) == ["a", "b"]
    assert picked(began("a"), others=1) == Ambiguous(("a",), Doubt.SHARED)
    assert picked(*(began(str(n)) for n in range(11)), others=10).doubt == Doubt.SHARED


def test_nothing_found_means_never_begun_only_at_last_and_only_if_the_log_speaks() -> None:
    assert picked(now=EARLY) == NotFound(False, CALL.settled_by)
    assert picked(began("a"), known="a") == NotFound(True, CALL.settled_by)
    assert picked(speaks=False) == Ambiguous((), Doubt.SILENT)


# --- how it ended -----------------------------------------------------------------------------------------------------


def report(status: str | None = None, error_type: str | None = None) -> PlatformLine:
    return PlatformLine("REPORT", "a", duration_ms=5.0, billed_ms=6.0, status=status, error_type=error_type)


def judged(trace: Trace, *, now: datetime = LATE, runtime: str = "python3.13") -> Verdict:
    return judge(trace, CALL, now=now, certain=True, runtime=runtime)


@pytest.mark.parametrize(
    ("trace", "status"),
    [
        (Trace("a", report()), "success"),
        (Trace("a", report("success")), "success"),
        (Trace("a", report("error", "Runtime.ExitError")), "error"),
        (Trace("a", report("failure")), "error"),
        (Trace("a", report(), raised=True), "error"),
        (Trace("a", report("timeout")), "timeout"),
        (Trace("a", report(), timed_out=True), "timeout"),
        (Trace("a", None, timed_out=True), "timeout"),
        (Trace("a", None, worked=True), "success"),
    ],
)
def test_the_report_and_the_lines_before_it_say_how_it_ended(trace: Trace, status: str) -> None:
    verdict = judged(trace)
    assert isinstance(verdict, Ran)
    assert (verdict.status, verdict.report, verdict.certain) == (status, trace.report, True)


def test_begun_without_an_end_still_runs_until_it_cannot_any_more() -> None:
    assert judged(Trace("a"), now=EARLY) == Running("a")
    assert judged(Trace("a")) == Ambiguous(("a",), Doubt.NO_END)


def test_a_log_that_does_not_show_errors_proves_no_success() -> None:
    assert judged(Trace("a", report()), runtime="java21") == Ambiguous(("a",), Doubt.OUTCOME)
    verdict = judged(Trace("a", report("success")), runtime="java21")
    assert isinstance(verdict, Ran) and verdict.status == "success"


def test_calls_lost_together_are_settled_only_when_all_ended_alike() -> None:
    fine, other = judged(Trace("a", report())), judged(Trace("b", report()))
    assert agreed([fine, other]) == fine
    broken = judged(Trace("b", report("error")))
    assert agreed([fine, broken]) == Ambiguous(("a", "b"), Doubt.SHARED)


# --- with a real function and its real log ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published() -> None:
    """One function without our runtime, one with it, in the local AWS."""
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    for name, handler in ((PLAIN, PLAIN_HANDLER), (CHUNKED, CHUNKED_HANDLER)):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", handler)
            for package in ("shipments", "shipments/functions"):
                archive.writestr(f"{package}/__init__.py", "")
            for file in Path(str(runtime.__file__)).parent.glob("*.py"):
                archive.write(file, f"shipments/functions/runtime/{file.name}")
        with suppress(AwsConflict):
            create_function(
                region=settings.AWS_REGION, code_zip=packed.getvalue(), FunctionName=name, Runtime="python3.12",
                Role="arn:aws:iam::123456789012:role/toy", Handler="app.handler", Timeout=2, MemorySize=128,
            )  # fmt: skip


@pytest.fixture
def lost(db: None, published: None) -> Callable[..., Chunk]:
    """`lost(PLAIN, {"crash": 1})`: a chunk whose call really ran, and whose answer was thrown away."""

    def send(name: str, payload: dict[str, Any], *, send: bool = True, **batch_fields: Any) -> Chunk:
        Function.objects.get_or_create(
            account="123456789012", region=settings.AWS_REGION, name=name, runtime="python3.12", memory_mb=128,
            timeout_s=2, arn=f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:{name}",
        )  # fmt: skip
        batch = Batch.objects.create(
            function_name=name, region=settings.AWS_REGION, title="t", envelope=name == CHUNKED, **batch_fields
        )
        chunk = Chunk.objects.create(batch=batch, position=0, state="checking", started=timezone.now())
        if send:
            envelope = {"version": 1, "batch": str(batch.pk), "chunk": str(chunk.pk), "items": [], "results": {}}
            body = {**envelope, **payload} if name == CHUNKED else payload
            chunk.answer = aws.invoke(name, json.dumps(body).encode(), timeout_s=2)  # type: ignore[attr-defined]
        return chunk

    return send


def asked(chunk: Chunk, *, later_s: float = 0) -> Any:
    """What reconcile says `later_s` after now, once the log has arrived."""
    deadline = time.monotonic() + 10
    while True:
        verdict = reconcile(chunk, now=timezone.now() + timedelta(seconds=later_s))
        if isinstance(verdict, Ran | Ambiguous) or time.monotonic() > deadline:
            return verdict
        time.sleep(0.3)


def test_finds_the_invocation_of_a_chunk_whose_answer_was_lost(lost: Callable[..., Chunk]) -> None:
    noise = lost(CHUNKED, {"items": [{"id": "x"}]})
    chunk = lost(CHUNKED, {"items": [{"id": "a"}, {"id": "b"}]})
    verdict = asked(chunk)
    assert isinstance(verdict, Ran), verdict
    assert verdict.request_id == chunk.answer.request_id != noise.answer.request_id  # type: ignore[attr-defined]
    assert (verdict.status, verdict.certain) == ("success", True)
    assert verdict.report is not None and verdict.report.billed_ms
    assert "chunk worked" in verdict.log and "REPORT RequestId" in verdict.log


def test_finds_that_the_chunk_timed_out(lost: Callable[..., Chunk]) -> None:
    verdict = asked(lost(CHUNKED, {"items": [{"id": "a", "seconds": 20}]}))
    assert isinstance(verdict, Ran)
    assert (verdict.status, verdict.certain) == ("timeout", True)


def test_finds_the_error_of_a_plain_call_among_answered_ones(lost: Callable[..., Chunk]) -> None:
    answered = lost(PLAIN, {})
    Chunk.objects.filter(pk=answered.pk).update(
        state="done",
        request_id=answered.answer.request_id,  # type: ignore[attr-defined]
    )
    chunk = lost(PLAIN, {"crash": 1})
    verdict = asked(chunk, later_s=20)
    assert isinstance(verdict, Ran), verdict
    assert verdict.request_id == chunk.answer.request_id  # type: ignore[attr-defined]
    assert (verdict.status, verdict.error_type, verdict.error_message) == ("error", "ValueError", "asked to crash")
    assert verdict.certain is False
    # The engine notes what it was told; asking again must not take that for another call's.
    Chunk.objects.filter(pk=chunk.pk).update(request_id=verdict.request_id)
    assert asked(Chunk.objects.get(pk=chunk.pk), later_s=20) == verdict


def test_a_call_that_never_reached_aws_is_known_not_to_have_begun(lost: Callable[..., Chunk]) -> None:
    ran = lost(PLAIN, {})
    Chunk.objects.filter(pk=ran.pk).update(state="done", request_id=ran.answer.request_id)  # type: ignore[attr-defined]
    asked(ran, later_s=20)  # its log has arrived
    chunk = lost(PLAIN, {}, send=False)
    Chunk.objects.filter(pk=chunk.pk).update(started=timezone.now() - timedelta(minutes=10))
    chunk.refresh_from_db()
    verdict = reconcile(chunk)
    assert isinstance(verdict, NotFound) and verdict.final, verdict


def test_a_function_without_a_log_proves_nothing(lost: Callable[..., Chunk]) -> None:
    chunk = lost(PLAIN, {}, send=False)
    Function.objects.filter(name=PLAIN).update(log_group="/aws/lambda/never-written")
    assert isinstance(reconcile(chunk), NotFound)
    assert asked(chunk, later_s=200) == Ambiguous((), Doubt.SILENT)
