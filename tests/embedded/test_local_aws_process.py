"""The process: one ready line, clean stops, faults on request, bytes passed through, rubbish survived."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.embedded.test_local_aws import LocalAws, aws, until

__all__ = ["aws"]


def running(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def own() -> Iterator[LocalAws]:
    server = LocalAws()
    yield server
    server.stop()


def children(server: LocalAws) -> list[int]:
    state = server.door("state")
    return [state["moto_pid"], *(one["pid"] for one in state["environments"])]


@pytest.mark.slow
def test_sigterm_ends_every_process_and_exits_with_zero(own: LocalAws) -> None:
    own.invoke(own.create())
    pids = children(own)
    assert len(pids) == 2 and all(running(pid) for pid in pids)
    assert own.stop() == "" and own.process.returncode == 0
    assert not any(running(pid) for pid in pids)


@pytest.mark.slow
def test_killing_it_leaves_no_process_behind(own: LocalAws) -> None:
    own.invoke(own.create())
    pids = children(own)
    own.process.send_signal(signal.SIGKILL)
    assert until(lambda: not any(running(pid) for pid in pids), 3)


@pytest.mark.slow
def test_large_objects_pass_through_unchanged(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="large-objects", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    body = os.urandom(40_000_000)
    s3.put_object(
        Bucket="large-objects", Key="a b/ü.bin", Body=body, Metadata={"sha": hashlib.sha256(body).hexdigest()}
    )
    found = s3.get_object(Bucket="large-objects", Key="a b/ü.bin")
    assert hashlib.sha256(found["Body"].read()).hexdigest() == found["Metadata"]["sha"]
    part = s3.get_object(Bucket="large-objects", Key="a b/ü.bin", Range="bytes=10-19")
    assert (
        part["Body"].read() == body[10:20]
        and s3.head_object(Bucket="large-objects", Key="a b/ü.bin")["ContentLength"] == 40_000_000
    )
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "large-objects", "Key": "a b/ü.bin"})
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.read(20) == body[:20]
    s3.delete_object(Bucket="large-objects", Key="a b/ü.bin")


@pytest.mark.slow
@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /2015-03-31/functions HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]",
        b'POST /2015-03-31/functions HTTP/1.1\r\nContent-Length: 27\r\n\r\n{"Timeout":"x","Code":"no"}',
        b"PUT /bucket/key HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /_local/fault HTTP/1.1\r\nContent-Length: 1\r\n\r\n!",
    ],
)
def test_rubbish_gets_a_refusal_and_never_a_traceback(own_shared: LocalAws, rubbish: bytes) -> None:
    port = urlsplit(own_shared.endpoint).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=5) as connection:
        connection.sendall(rubbish)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer == b"" or b"400" in answer.split(b"\r\n")[0] or b"<h1>" in answer or b"code: 400" in answer
    assert own_shared.door("state")["fault"] == "none"


@pytest.fixture(scope="module")
def own_shared() -> Iterator[LocalAws]:
    """A server whose stderr is read at the end."""
    server = LocalAws()
    yield server
    assert "Traceback" not in server.stop()


def test_warm_calls_are_quick(aws: LocalAws) -> None:
    name = aws.create()
    aws.invoke(name)
    times = sorted(aws.invoke(name).seconds for _ in range(100))
    assert times[50] < 0.05, "the median warm call takes 2 ms on an idle machine"
