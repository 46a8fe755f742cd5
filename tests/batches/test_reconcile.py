"""An answer that got lost: the function's log says what became of the call, or a person is asked. Nobody guesses."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from core.aws import invoke as aws
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

SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CALL = Call("chunk-1", SENT, SENT + timedelta(seconds=30))
EARLY = SENT + timedelta(seconds=20)
LATE = CALL.settled_by + timedelta(seconds=61)
PLAIN = """
import time

def handler(event, context):
    if event.get("crash"):
        raise ValueError("asked to crash")
    time.sleep(event.get("seconds", 0))
    return {"echo": event}
"""
CHUNKED = """
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


def publish(name: str, handler: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", handler)
        for package in ("shipments", "shipments/functions"):
            archive.writestr(f"{package}/__init__.py", "")
        for file in Path(str(runtime.__file__)).parent.glob("*.py"):
            archive.write(file, f"shipments/functions/runtime/{file.name}")
    create_function(
        region=settings.AWS_REGION, code_zip=packed.getvalue(), FunctionName=name, Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/toy", Handler="app.handler", Timeout=2, MemorySize=128,
    )  # fmt: skip
    Function.objects.create(
        account="123456789012", region=settings.AWS_REGION, name=name, runtime="python3.12", memory_mb=128,
        timeout_s=2, arn=f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:{name}",
    )  # fmt: skip


@dataclass
class Lost:
    """A function of this test's own, without our runtime (`plain`) or with it."""

    name: str
    plain: bool

    def chunk(self) -> Chunk:
        """A chunk that was sent just now, as far as anybody knows."""
        batch = Batch.objects.create(
            function_name=self.name, region=settings.AWS_REGION, title="t", envelope=not self.plain
        )
        return Chunk.objects.create(batch=batch, position=0, state="checking", started=timezone.now())

    def call(self, payload: dict[str, Any], *, answered: bool = False) -> tuple[Chunk, str]:
        """A call that really ran; its answer is thrown away unless it is `answered`. Also gives its request id."""
        chunk = self.chunk()
        envelope = {"version": 1, "batch": str(chunk.batch_id), "chunk": str(chunk.pk), "results": {}}
        body = json.dumps(payload if self.plain else {**envelope, **payload}).encode()
        request_id = aws.invoke(self.name, body, timeout_s=2).request_id
        if answered:
            Chunk.objects.filter(pk=chunk.pk).update(state="done", request_id=request_id)
        return chunk, request_id


@pytest.fixture
def lost(db: None) -> Callable[[str], Lost]:
    """`lost(PLAIN).call({"crash": 1})`"""
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")

    def make(handler: str) -> Lost:
        name = f"reconciled-{uuid.uuid4().hex[:12]}"
        publish(name, handler)
        return Lost(name, handler == PLAIN)

    return make


def asked(chunk: Chunk, *, later_s: float = 0, patience_s: float = 10) -> Any:
    """What reconcile says `later_s` after now, once the log has arrived."""
    deadline = time.monotonic() + patience_s
    while True:
        verdict = reconcile(chunk, now=timezone.now() + timedelta(seconds=later_s))
        if isinstance(verdict, Ran | Ambiguous) or time.monotonic() > deadline:
            return verdict
        time.sleep(0.3)


def test_finds_the_invocation_of_a_chunk_whose_answer_was_lost(lost: Callable[[str], Lost]) -> None:
    function = lost(CHUNKED)
    _other, other_id = function.call({"items": [{"id": "x"}]})
    chunk, request_id = function.call({"items": [{"id": "a"}, {"id": "b"}]})
    verdict = asked(chunk)
    assert isinstance(verdict, Ran), verdict
    assert verdict.request_id == request_id != other_id
    assert (verdict.status, verdict.certain) == ("success", True)
    assert verdict.report is not None and verdict.report.billed_ms
    assert "chunk worked" in verdict.log and "REPORT RequestId" in verdict.log


@pytest.mark.slow
def test_finds_that_the_chunk_timed_out(lost: Callable[[str], Lost]) -> None:
    chunk, request_id = lost(CHUNKED).call({"items": [{"id": "a", "seconds": 20}]})
    verdict = asked(chunk)
    assert isinstance(verdict, Ran), verdict
    assert (verdict.request_id, verdict.status, verdict.certain) == (request_id, "timeout", True)


def test_finds_the_error_of_a_plain_call_among_answered_ones(lost: Callable[[str], Lost]) -> None:
    function = lost(PLAIN)
    function.call({}, answered=True)
    chunk, request_id = function.call({"crash": 1})
    verdict = asked(chunk, later_s=20)
    assert isinstance(verdict, Ran), verdict
    assert (verdict.request_id, verdict.certain) == (request_id, False)
    assert (verdict.status, verdict.error_type, verdict.error_message) == ("error", "ValueError", "asked to crash")
    # The engine notes what it was told; asking again must not take that for another call's.
    Chunk.objects.filter(pk=chunk.pk).update(request_id=request_id)
    assert asked(Chunk.objects.get(pk=chunk.pk), later_s=20) == verdict


@pytest.mark.slow
def test_calls_lost_together_get_one_invocation_each(lost: Callable[[str], Lost]) -> None:
    function = lost(PLAIN)
    first, first_id = function.call({})
    second, second_id = function.call({})
    assert isinstance(asked(first, later_s=20, patience_s=1), NotFound)
    for chunk, request_id in ((second, first_id), (first, second_id)):
        verdict = asked(chunk, later_s=300)
        assert isinstance(verdict, Ran), verdict
        assert (verdict.request_id, verdict.status, verdict.certain) == (request_id, "success", False)
        Chunk.objects.filter(pk=chunk.pk).update(state="done", request_id=request_id)


def test_a_call_that_never_reached_aws_is_known_not_to_have_begun(lost: Callable[[str], Lost]) -> None:
    function = lost(PLAIN)
    ran, _request_id = function.call({})
    assert isinstance(asked(ran, later_s=20), Ran), "the log has arrived"
    chunk = function.chunk()
    Chunk.objects.filter(pk=chunk.pk).update(started=timezone.now() - timedelta(minutes=10))
    verdict = reconcile(Chunk.objects.get(pk=chunk.pk))
    assert isinstance(verdict, NotFound) and verdict.final, verdict


def test_a_function_without_a_log_proves_nothing(lost: Callable[[str], Lost]) -> None:
    chunk = lost(PLAIN).chunk()
    assert isinstance(reconcile(chunk), NotFound)
    assert asked(chunk, later_s=200) == Ambiguous((), Doubt.SILENT)
