"""Management calls of all processes together stay under one rate; without Valkey each process keeps to its share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from django.conf import settings
from urllib3 import HTTPResponse

from core.aws.bucket import ALONE_SHARE, SharedBucket
from core.aws.clients import boto_client, management_client
from core.aws.errors import AwsThrottled

RATE = 15
REGION = "eu-west-3"  # its own bucket: other tests call in the platform's region
CALLS = """
import json, sys, time
from core.aws.clients import management_client
client = management_client("lambda")
client.list_functions(MaxItems=1)
at = []
# The moment a request leaves: this handler comes after the one that waits.
client._client.meta.events.register_last("before-send", lambda **event: at.append(time.time()))
print("ready", flush=True)
end = float(sys.stdin.readline())
while time.time() < end:
    client.list_functions(MaxItems=1)
print(json.dumps(at))
"""


def call_from(processes: int, seconds: float, **environment: str) -> tuple[list[float], str]:
    """When each management call of some busy processes left, in order, and what they logged."""
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    env = {
        **os.environ, "AWS_MANAGEMENT_RATE": str(RATE), "AWS_REGION": REGION,
        "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        **environment,
    }  # fmt: skip
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, "-c", CALLS]
    running: list[Any] = [subprocess.Popen(command, env=env, text=True, **pipes) for _one in range(processes)]  # noqa: S603
    for process in running:
        assert process.stdout.readline() == "ready\n", process.communicate(timeout=60)
    end = f"{time.time() + seconds}\n"
    for process in running:
        process.stdin.write(end)
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * processes, answers
    return sorted(moment for out, _log in answers for moment in json.loads(out)), "".join(log for _out, log in answers)


def most_in_a_second(moments: Sequence[float]) -> int:
    return max(sum(1 for other in moments if first <= other < first + 1) for first in moments)


@pytest.mark.slow
def test_four_processes_share_one_rate() -> None:
    moments, _log = call_from(4, seconds=4)
    # Two more than the rate: a process that wakes up late sends closer to the next one.
    assert most_in_a_second(moments) <= RATE + 2
    assert RATE * 4 * 0.5 <= len(moments) <= RATE * 4 + 4


@pytest.mark.slow
def test_without_valkey_calls_go_on_at_a_share_of_the_rate_and_that_is_said_once() -> None:
    moments, log = call_from(1, seconds=3, VALKEY_URL="unix:///nowhere/valkey.sock")
    assert 2 <= most_in_a_second(moments) <= RATE / ALONE_SHARE + 1
    assert log.count("Valkey not reached") == 1


def test_a_burst_is_served_at_once_and_then_in_turn() -> None:
    bucket = SharedBucket(f"test-burst-{time.time()}", rate=0.1, burst=3)
    waits = [bucket.book() for _call in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == pytest.approx([10, 20], abs=5)


def test_nobody_joins_a_queue_longer_than_a_minute() -> None:
    bucket = SharedBucket(f"test-queue-{time.time()}", rate=0.01)
    bucket.book()
    with pytest.raises(AwsThrottled, match="waiting already") as refused:
        bucket.take()
    assert refused.value.retry_after == pytest.approx(100, abs=10)


def test_a_repetition_by_botocore_needs_a_token_of_its_own() -> None:
    """AWS answers 503 once, meanwhile a long queue has come up: the second attempt is refused by us, not sent."""
    client: Any = boto_client("lambda", "eu-south-2", paced=True, attempts=3)
    sent: list[str] = []

    def answer_unwell(event_name: str, **event: Any) -> AWSResponse:
        sent.append(event_name)
        SharedBucket("management:eu-south-2", rate=0.01).book()  # the next call must wait for 100 seconds
        return AWSResponse(
            event["request"].url, 503, HTTPHeaders(), HTTPResponse(BytesIO(b"{}"), preload_content=False)
        )

    client.meta.events.register_last("before-send", answer_unwell)
    with pytest.raises(AwsThrottled, match="waiting already"):
        client.list_functions()
    assert len(sent) == 1


def test_clients_are_shared_and_every_call_has_time_outs() -> None:
    for service in ("lambda", "s3", "logs", "cloudwatch"):
        client = boto_client(service)
        assert client is boto_client(service)
        config = client.meta.config
        assert 0 < config.connect_timeout <= 5
        assert 0 < config.read_timeout <= 60
        assert config.max_pool_connections >= 100
    assert management_client("lambda")._client is management_client("lambda")._client
