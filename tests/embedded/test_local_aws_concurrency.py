"""Concurrency is real: separate processes, real limits, idle ones end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.embedded.test_local_aws import LocalAws, aws, until

__all__ = ["aws"]


def refusal(error: ClientError) -> tuple[int, str, str]:
    answer = error.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status, str(answer["Error"]["Code"]), str(answer.get("Reason"))


def outcomes(aws: LocalAws, name: str, count: int, seconds: float) -> list[int | str]:
    """Invoke that many times at once: process ids, or the reason of the refusal."""

    def one(_: int) -> int | str:
        try:
            return int(aws.invoke(name, {"sleep": seconds}).payload["pid"])
        except ClientError as error:
            return refusal(error)[2]

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


@pytest.mark.slow
def test_calls_at_once_run_in_separate_environments_side_by_side(aws: LocalAws) -> None:
    name = aws.create()
    clock = time.monotonic()
    pids = outcomes(aws, name, 4, 1.0)
    assert len(set(pids)) == 4 and time.monotonic() - clock < 3.0


@pytest.mark.slow
def test_reservation_throttles_the_function_and_only_it(aws: LocalAws) -> None:
    name, other = aws.create(), aws.create()
    aws.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    found = outcomes(aws, name, 4, 0.7)
    assert found.count("ReservedFunctionConcurrentInvocationLimitExceeded") == 2
    assert aws.invoke(other).error is None and aws.invoke(name).error is None


def test_concurrency_zero_refuses_every_call_until_it_is_removed(aws: LocalAws) -> None:
    name = aws.create()
    aws.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as refused:
        aws.invoke(name)
    expected = (429, "TooManyRequestsException", "ReservedFunctionConcurrentInvocationLimitExceeded")
    assert refusal(refused.value) == expected
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    aws.functions.delete_function_concurrency(FunctionName=name)
    assert aws.invoke(name).error is None


@pytest.fixture(scope="module")
def small() -> Iterator[LocalAws]:
    """A server of its own with narrow limits."""
    server = LocalAws("--account-limit", "2", "--idle-seconds", "1.5", "--max-idle", "1")
    yield server
    server.stop()


@pytest.mark.slow
def test_account_limit_counts_over_all_functions(small: LocalAws) -> None:
    name = small.create()
    assert outcomes(small, name, 3, 0.8).count("ConcurrentInvocationLimitExceeded") == 1


@pytest.mark.slow
def test_idle_environments_are_capped_and_then_end(small: LocalAws) -> None:
    first, second = small.create(), small.create()
    assert small.invoke(first).error is None and small.invoke(second).error is None
    assert until(lambda: [one["function"] for one in small.door("state")["environments"]] == [second])
    assert until(lambda: small.door("state")["environments"] == [])
    assert "Init Duration" in small.invoke(second).log
