"""Faults on purpose: throttles, lost requests, answers that break off, a closed port."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
)

from tests.embedded.test_local_aws import LocalAws, aws, until

__all__ = ["aws"]


@pytest.fixture(autouse=True)
def no_fault_is_left(aws: LocalAws) -> Iterator[None]:
    yield
    until(lambda: _answers(aws))
    aws.door("fault", {"mode": "none"})


def _answers(aws: LocalAws) -> bool:
    try:
        return bool(aws.door("state"))
    except URLError:
        return False


@pytest.mark.slow
def test_throttle_fault_refuses_invocations_for_a_while(aws: LocalAws) -> None:
    name = aws.create()
    aws.door("fault", {"mode": "throttle", "seconds": 0.5})
    with pytest.raises(ClientError, match="TooManyRequestsException") as refused:
        aws.invoke(name)
    assert dict(refused.value.response)["Reason"] == "CallerRateLimitExceeded"
    assert until(lambda: aws.door("state")["fault"] == "none", 2) and aws.invoke(name).error is None


def test_down_fault_drops_connections_until_it_is_lifted(aws: LocalAws) -> None:
    aws.door("fault", {"mode": "down", "seconds": 30})
    with pytest.raises(ConnectionClosedError):
        aws.client("s3").list_buckets()
    aws.door("fault", {"mode": "none"})
    assert aws.client("s3").list_buckets()["Buckets"] is not None


def test_a_throttle_says_when_to_come_back_in_header_and_body(aws: LocalAws) -> None:
    name = aws.create()
    aws.door("fault", {"mode": "throttle", "seconds": 5, "retry_after": 7, "function": name})
    with pytest.raises(ClientError) as refused:
        aws.invoke(name)
    answer: Any = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"
    assert answer["retryAfterSeconds"] == "7"
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_fault_of_one_function_leaves_the_others_alone(aws: LocalAws) -> None:
    name, other = aws.create(), aws.create()
    aws.door("fault", {"mode": "throttle", "seconds": 5, "function": name})
    aws.door("fault", {"mode": "down", "seconds": 5, "function": other})
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        aws.invoke(name)
    with pytest.raises(ConnectionClosedError):
        aws.invoke(other)
    assert aws.client("s3").list_buckets()["Buckets"] is not None
    assert [(fault["function"], fault["struck"]) for fault in aws.door("state")["faults"]] == sorted(
        [(name, 1), (other, 1)]
    )
    aws.door("fault", {"mode": "none", "function": other})
    assert aws.invoke(other).error is None
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        aws.invoke(name)


def test_a_share_strikes_that_part_of_the_invocations(aws: LocalAws) -> None:
    name = aws.create()
    aws.door("fault", {"mode": "throttle", "seconds": 60, "share": 0.5, "function": name})
    refused = 0
    for _ in range(100):
        try:
            aws.invoke(name)
        except ClientError:
            refused += 1
    assert 25 <= refused <= 75
    assert [fault["struck"] for fault in aws.door("state")["faults"]] == [refused]


def test_a_fault_with_a_number_ends_after_so_many(aws: LocalAws) -> None:
    name = aws.create()
    aws.door("fault", {"mode": "throttle", "seconds": 60, "times": 2, "function": name})
    for _ in range(2):
        with pytest.raises(ClientError, match="TooManyRequestsException"):
            aws.invoke(name)
    assert aws.invoke(name).error is None
    assert aws.door("state")["fault"] == "none"


def test_a_cut_answer_comes_after_the_function_has_run(aws: LocalAws, tmp_path: Path) -> None:
    name, mark = aws.create(), tmp_path / "ran"
    aws.door("fault", {"mode": "cut", "seconds": 5, "function": name})
    with pytest.raises((HTTPClientError, BotoCoreError)):
        aws.invoke(name, {"mark": str(mark)})
    assert len(mark.read_text().split()) == 1
    aws.door("fault", {"mode": "none"})
    assert aws.invoke(name).payload["count"] == 2


def test_a_lost_request_runs_nothing(aws: LocalAws, tmp_path: Path) -> None:
    name, mark = aws.create(), tmp_path / "ran"
    aws.door("fault", {"mode": "down", "seconds": 5, "function": name})
    with pytest.raises(ConnectionClosedError):
        aws.invoke(name, {"mark": str(mark)})
    aws.door("fault", {"mode": "none"})
    assert aws.invoke(name).payload["count"] == 1 and not mark.exists()


@pytest.mark.slow
def test_a_closed_port_refuses_connections_and_opens_by_itself(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    assert s3.list_buckets()["Buckets"] is not None  # its connection is kept, and must not hide the closed port
    aws.door("fault", {"mode": "refuse", "seconds": 1})
    began = time.monotonic()
    for client in (s3, aws.client("lambda")):
        with pytest.raises(EndpointConnectionError):
            client.list_buckets() if client is s3 else client.list_functions()
    assert until(lambda: _lists(s3), 5)
    assert 0.8 < time.monotonic() - began < 3


def _lists(s3: Any) -> bool:
    try:
        return s3.list_buckets()["Buckets"] is not None
    except EndpointConnectionError:
        return False


@pytest.mark.slow
def test_a_closing_port_cuts_who_waits_but_the_function_ends(aws: LocalAws, tmp_path: Path) -> None:
    name, mark = aws.create(), tmp_path / "ran"
    aws.invoke(name)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(aws.invoke, name, {"sleep": 0.7, "mark": str(mark)})
        assert until(lambda: aws.door("state")["running"] == 1)
        aws.door("fault", {"mode": "refuse", "seconds": 1})
        assert isinstance(waiting.exception(5), ConnectionClosedError)
    assert until(mark.exists)


@pytest.mark.parametrize(
    "wish",
    [
        {"mode": "late", "seconds": 1},
        {"mode": "throttle", "seconds": -1},
        {"mode": "throttle", "seconds": 1, "share": 2},
        {"mode": "throttle", "seconds": 1, "retry_after": "soon"},
        {"mode": "refuse", "seconds": 1, "function": "f"},
        {"seconds": 1},
    ],
)
def test_a_fault_that_does_not_exist_is_refused(aws: LocalAws, wish: dict[str, Any]) -> None:
    with pytest.raises(HTTPError, match="400"):
        aws.door("fault", wish)
    assert aws.door("state")["faults"] == []
