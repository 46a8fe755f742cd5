"""The hourly pull: functions without a subscription are read from their log, from where the last pull ended."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.aws import storage
from core.aws.clients import management_client
from services_registry.models import DoorHour, Function, FunctionHour, InvocationReport, LogPosition
from services_registry.tasks import pull_logs
from services_registry.telemetry.doors import pull
from tests.telemetry.conftest import report_line, request_id
from tests.telemetry.test_firehose import envelope

STREAM = "2026/11/24/[$LATEST]abc"
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of each test, not that of the start of the run: what is written must be within the look back."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


@pytest.fixture
def logged(make_function: Callable[[str], Function]) -> Function:
    """A function with a log group of its own name."""
    function = make_function("logged")
    function.log_group = f"/company/{uuid.uuid4().hex}"
    function.save()
    client = management_client("logs", function.region)
    client.create_log_group(logGroupName=function.log_group)
    client.create_log_stream(logGroupName=function.log_group, logStreamName=STREAM)
    return function


def write(function: Function, *messages: str, at: datetime | None = None) -> None:
    events = [{"timestamp": int((at or NOW).timestamp() * 1000), "message": text} for text in messages]
    management_client("logs", function.region).put_log_events(
        logGroupName=function.log_group, logStreamName=STREAM, logEvents=events
    )


def test_each_pull_goes_on_where_the_last_one_ended_and_looks_back_a_little(logged: Function) -> None:
    write(logged, report_line(request_id(1)), "application text", at=NOW - timedelta(hours=3))
    pull_logs()
    assert InvocationReport.objects.get().door == "pull"
    before = LogPosition.objects.get()
    assert before.until >= NOW and not before.problem
    write(logged, report_line(request_id(2)), at=NOW - timedelta(minutes=10))  # became visible late
    pull_logs()
    assert set(InvocationReport.objects.values_list("request_id", flat=True)) == {request_id(1), request_id(2)}
    hours = dict(FunctionHour.objects.values_list("hour", "invocations"))
    assert hours[(NOW - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)] == 1
    assert LogPosition.objects.get().until > before.until


def test_a_busy_log_is_read_in_several_pulls_without_losing_a_line(
    logged: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        write(logged, report_line(request_id(number)), at=NOW - timedelta(minutes=10 - number))
    monkeypatch.setattr(pull, "MOST_EVENTS", 3)
    for expected in (3, 5, 6):
        pull.pull_function(logged)
        assert InvocationReport.objects.count() == expected


def test_logs_that_cannot_be_read_are_noted_and_hinder_no_other(
    logged: Function, make_function: Callable[[str], Function]
) -> None:
    make_function("absent")  # has never run, so there is no log group
    make_function("elsewhere")
    Function.objects.filter(name="elsewhere").update(region="no region")
    write(logged, report_line(request_id(1)))
    pull_logs()
    assert InvocationReport.objects.count() == 1
    problems = dict(LogPosition.objects.values_list("function__name", "problem"))
    assert problems["elsewhere"] and not problems["absent"] and not problems["logged"]


def test_functions_fed_by_firehose_gone_or_sample_are_left_alone(
    logged: Function, make_function: Callable[[str], Function], settings: Any
) -> None:
    make_function("sample")
    Function.objects.filter(name="sample").update(sample=True)
    make_function("gone")
    Function.objects.filter(name="gone").update(gone=timezone.now())
    assert list(pull.due()) == [logged]
    InvocationReport.objects.create(
        function=logged, request_id="a", digest="b", at=NOW, duration_ms=1, billed_ms=1, memory_mb=128, door="firehose"
    )
    assert list(pull.due()) == []
    InvocationReport.objects.all().delete()
    settings.LOG_PULL = False
    write(logged, report_line(request_id(1)))
    pull_logs()
    assert not InvocationReport.objects.exists()


@pytest.mark.slow
def test_an_exported_object_is_read_like_a_file(logged: Function) -> None:
    storage.ensure_bucket()
    packed = gzip.compress(envelope(logged.log_group, report_line(request_id(1)), report_line(request_id(2))))
    uri = storage.put_bytes(f"export/{uuid.uuid4().hex}/000000.gz", packed)
    for new in (2, 0):
        said = io.StringIO()
        call_command("ingest_reports", uri, stdout=said)
        counts = json.loads(said.getvalue())
        assert (counts["events"], counts["reports"], counts["new"]) == (2, 2, new)
    assert DoorHour.objects.get().door == "file"
    assert set(InvocationReport.objects.values_list("function__name", flat=True)) == {"logged"}
    for wrong in (f"{uri}.not-there", "s3://"):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("ingest_reports", wrong)
