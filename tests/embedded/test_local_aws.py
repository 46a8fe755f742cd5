"""The local AWS as a running process, shared by the test modules of this folder, and the function it runs."""

from __future__ import annotations

import base64
import functools
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

REGION = "eu-central-1"
ROLE = "arn:aws:iam::123456789012:role/service-role/nobody-created-this"
RETRY_SCALE = 0.01  # 60 s and 120 s become 0.6 s and 1.2 s

HANDLER = """
import json, logging, os, time
import boto3

print("loading")
count = 0

def handler(event, context):
    global count
    count += 1
    print("handling", event.get("say", ""))
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "raise" in event:
        raise ValueError(event["raise"])
    if "exit" in event:
        os._exit(event["exit"])
    if "bytes" in event:
        return "x" * event["bytes"]
    if "log" in event:
        logging.getLogger().warning(event["log"])
    if "bucket" in event:
        boto3.client("s3").put_object(Bucket=event["bucket"], Key="from-function", Body=b"hello")
    if "mark" in event:
        with open(event["mark"], "a") as file:
            file.write(f"{time.time()}\\n")
    if event.get("fail"):
        raise RuntimeError("on purpose")
    return {
        "say": event.get("say"), "count": count, "pid": os.getpid(), "word": os.environ.get("WORD"),
        "arn": context.invoked_function_arn, "request_id": context.aws_request_id, "stream": context.log_stream_name,
        "left_ms": context.get_remaining_time_in_millis(), "home": os.environ["HOME"],
    }
"""
HANDLER_WITHOUT_BOTO3 = HANDLER.replace("import boto3\n", "", 1)


def zipped(source: str = HANDLER_WITHOUT_BOTO3, path: str = "app.py") -> bytes:
    """A deployment package with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(path, source)
    return buffer.getvalue()


@dataclass
class Result:
    """One synchronous invocation as a client sees it."""

    payload: Any
    error: str | None
    log: str
    request_id: str
    version: str
    seconds: float


class LocalAws:
    """One ``python -m embedded.aws`` process."""

    def __init__(self, *arguments: str) -> None:
        self.data = Path(tempfile.mkdtemp(prefix="local-aws-"))
        root = Path(__file__).resolve().parents[2]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "embedded.aws", "--port", "0", "--data", str(self.data), *arguments],
            env={**os.environ, "PYTHONPATH": str(root / "platform")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.endpoint = str(json.loads(self.process.stdout.readline())["endpoint"])

    def client(self, service: str, *, attempts: int = 1) -> Any:
        """A boto3 client of this server; by default without retries of its own."""
        config = Config(retries={"total_max_attempts": attempts}, read_timeout=20, max_pool_connections=20)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, config=config, **keys)  # type: ignore[call-overload]

    @functools.cached_property
    def functions(self) -> Any:
        """The Lambda client."""
        return self.client("lambda")

    def create(self, name: str = "", **settings: Any) -> str:
        """Publish the test function; answers its name."""
        name = name or f"fn-{uuid.uuid4().hex[:8]}"
        defaults = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": zipped()}}
        self.functions.create_function(FunctionName=name, **{**defaults, "Timeout": 5, **settings})
        return name

    def invoke(self, name: str, event: Any = None, **settings: Any) -> Result:
        """Invoke and wait."""
        clock = time.monotonic()
        answer = self.functions.invoke(
            FunctionName=name, Payload=json.dumps(event or {}), **{"LogType": "Tail", **settings}
        )
        return Result(
            json.loads(answer["Payload"].read()),
            answer.get("FunctionError"),
            base64.b64decode(answer.get("LogResult", "")).decode(),
            answer["ResponseMetadata"]["RequestId"],
            answer["ExecutedVersion"],
            time.monotonic() - clock,
        )

    def send(self, name: str, event: Any) -> None:
        """Invoke asynchronously."""
        answer = self.functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
        assert answer["StatusCode"] == 202

    def door(self, path: str, members: dict[str, Any] | None = None) -> dict[str, Any]:
        """Use the local door."""
        body = json.dumps(members).encode() if members is not None else None
        url = f"{self.endpoint}/_local/{path}"
        with urllib.request.urlopen(url, data=body, timeout=10) as answer:  # noqa: S310 - our own server
            found: dict[str, Any] = json.load(answer)
        return found

    def queue(self) -> tuple[str, str]:
        """A new SQS queue: its URL and ARN."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    def message(self, url: str) -> dict[str, Any]:
        """The next message of a queue."""
        sqs = self.client("sqs")
        wanted = {"QueueUrl": url, "MessageAttributeNames": ["All"]}
        found = until(lambda: sqs.receive_message(**wanted).get("Messages"))
        message: dict[str, Any] = found[0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message

    def stop(self) -> str:
        """Stop it; answers what it wrote to stderr. A second call does nothing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        stderr = (
            self.process.communicate(timeout=20)[1] if self.process.stderr and not self.process.stderr.closed else b""
        )
        shutil.rmtree(self.data, ignore_errors=True)
        return stderr.decode()


def until(question: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"did not become true within {seconds} s")


@functools.cache
def _shared() -> LocalAws:
    return LocalAws("--retry-scale", str(RETRY_SCALE), "--account-limit", "12", "--init-seconds", "1")


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """The server all modules share; each module's fixture stops it at the end of the run, the first one does it."""
    server = _shared()
    yield server
    server.stop()


@pytest.mark.slow
def test_listens_on_this_machine_only_and_starts_without_environments(aws: LocalAws) -> None:
    assert aws.endpoint.startswith("http://127.0.0.1:")
    assert {"running", "idle", "environments", "queue", "logs", "fault"} <= set(aws.door("state"))
