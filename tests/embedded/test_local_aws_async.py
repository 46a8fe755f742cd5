"""Asynchronous events are retried and end where AWS would send them. The waits are scaled down to a hundredth."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.test_local_aws import RETRY_SCALE, LocalAws, aws, until

__all__ = ["aws"]


def runs(mark: Path) -> list[float]:
    """When the function wrote its mark, seconds since 1970."""
    return [float(line) for line in mark.read_text().splitlines()] if mark.exists() else []


def event_rules(aws: LocalAws, name: str, **rules: Any) -> None:
    aws.functions.put_function_event_invoke_config(FunctionName=name, **rules)


@pytest.mark.slow
def test_failing_event_is_tried_three_times_then_lands_in_the_dead_letter_queue(aws: LocalAws, tmp_path: Path) -> None:
    url, arn = aws.queue()
    name = aws.create(DeadLetterConfig={"TargetArn": arn})
    mark = tmp_path / "mark"
    aws.send(name, {"mark": str(mark), "fail": True})
    message = aws.message(url)
    first, second, third = runs(mark)
    assert 60 * RETRY_SCALE <= second - first < 60 * RETRY_SCALE + 1
    assert 120 * RETRY_SCALE <= third - second < 120 * RETRY_SCALE + 1
    assert json.loads(message["Body"]) == {"mark": str(mark), "fail": True}
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert (attributes["ErrorCode"], attributes["ErrorMessage"]) == ("200", "on purpose")
    assert len(attributes["RequestID"]) == 36


def test_failure_destination_receives_event_and_answer_without_retries_if_so_configured(
    aws: LocalAws, tmp_path: Path
) -> None:
    url, arn = aws.queue()
    name = aws.create()
    event_rules(aws, name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}})
    mark = tmp_path / "mark"
    aws.send(name, {"mark": str(mark), "fail": True})
    record = json.loads(aws.message(url)["Body"])
    assert len(runs(mark)) == 1
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["requestContext"]["functionArn"].endswith(f"function:{name}:$LATEST")
    assert record["requestPayload"]["fail"] is True
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorMessage"] == "on purpose"


def test_success_destination_receives_the_answer(aws: LocalAws) -> None:
    url, arn = aws.queue()
    name = aws.create()
    event_rules(aws, name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    aws.send(name, {"say": "done"})
    record = json.loads(aws.message(url)["Body"])
    assert (record["version"], record["requestContext"]["condition"]) == ("1.0", "Success")
    assert record["responsePayload"]["say"] == "done"
    assert record["responsePayload"]["request_id"] == record["requestContext"]["requestId"]


def test_event_too_old_for_its_next_try_ends_early(aws: LocalAws, tmp_path: Path) -> None:
    url, arn = aws.queue()
    name = aws.create()
    destination = {"OnFailure": {"Destination": arn}}
    event_rules(aws, name, MaximumEventAgeInSeconds=60, DestinationConfig=destination)
    mark = tmp_path / "mark"
    aws.send(name, {"mark": str(mark), "fail": True})
    record = json.loads(aws.message(url)["Body"])
    assert record["requestContext"]["condition"] == "EventAgeExceeded" and len(runs(mark)) == 1


def test_concurrency_zero_sends_events_straight_to_the_dead_letter_queue(aws: LocalAws, tmp_path: Path) -> None:
    url, arn = aws.queue()
    name = aws.create(DeadLetterConfig={"TargetArn": arn})
    aws.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    mark = tmp_path / "mark"
    clock = time.monotonic()
    aws.send(name, {"mark": str(mark)})
    message = aws.message(url)
    assert time.monotonic() - clock < 60 * RETRY_SCALE and not runs(mark)
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"


@pytest.mark.slow
def test_throttled_event_waits_until_there_is_room(aws: LocalAws, tmp_path: Path) -> None:
    name = aws.create()
    aws.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    mark = tmp_path / "mark"
    for _ in range(3):
        aws.send(name, {"mark": str(mark), "sleep": 0.3})
    assert until(lambda: len(runs(mark)) == 3)
    first, second, third = runs(mark)
    assert second - first >= 0.29 and third - second >= 0.29


def test_event_without_any_target_is_dropped_and_counted(aws: LocalAws) -> None:
    before = aws.door("state")["async"]["dropped"]
    name = aws.create()
    event_rules(aws, name, MaximumRetryAttempts=0)
    aws.send(name, {"fail": True})
    assert until(lambda: aws.door("state")["async"]["dropped"] == before + 1)
