"""The handlers under AWS's own runtime client, as a separate process that speaks the Runtime API with us."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipments.functions.package import FUNCTIONS, build
from tests.functions.support import content, envelope, shipment

pytestmark = pytest.mark.slow
OK = b'{"status":"OK"}'


class RuntimeApi(ThreadingHTTPServer):
    """Hands one event at a time to the runtime client and takes what it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Front)
        self.events: queue.Queue[Any] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    def call(self, event: Any, timeout: float = 30) -> tuple[str, Any]:
        """("response", value) or ("error", {"errorType", "errorMessage", ...})."""
        self.events.put(event)
        return self.answers.get(timeout=timeout)


class _Front(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        event = json.dumps(self.server.events.get()).encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "5f3c0f6e-0000-4000-8000-000000000001")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 60) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:000000000000:function:f")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(OK)))
        self.end_headers()
        self.wfile.write(OK)
        self.server.answers.put((self.path.rsplit("/", 1)[1], json.loads(body)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        return


@contextmanager
def environment(name: str, folder: Path) -> Iterator[RuntimeApi]:
    """An execution environment of the built zip of `name`."""
    task = folder / name
    with zipfile.ZipFile(build(name, folder)) as archive:
        archive.extractall(task)
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(task),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(FUNCTIONS[name].memory_mb),
        "LAMBDA_TASK_ROOT": str(task),
    }
    process = subprocess.Popen(  # noqa: S603  # our own arguments
        [sys.executable, "-m", "awslambdaric", FUNCTIONS[name].handler],
        cwd=task,
        env=variables,
        stdout=None,
    )
    try:
        yield api
    finally:
        process.kill()
        process.wait(5)
        api.shutdown()
        api.server_close()


def test_render_pdf_prints_warm_and_cold(tmp_path: Path) -> None:
    with environment("shipments-render-pdf", tmp_path) as api:
        for cold in (True, False):
            kind, answer = api.call(envelope([{"id": "a", "data": shipment(notes="größer ✓")}]))
            assert kind == "response" and answer["stats"]["cold"] is cold
            assert content(answer["results"][0]["value"]["file"]).startswith(b"%PDF-")
        kind, answer = api.call({"version": 7})
        assert (kind, answer["errorType"]) == ("error", "EnvelopeError") and "version must be 1" in answer[
            "errorMessage"
        ]


def test_fetch_documents_answers_for_a_server_that_is_not_there(tmp_path: Path) -> None:
    target = {
        "protocol": "sftp",
        "host": "127.0.0.1",
        "port": 1,
        "username": "u",
        "host_key": "SHA256:x",
        "timeout_s": 1,
    }
    with environment("shipments-fetch-documents", tmp_path) as api:
        kind, answer = api.call(envelope([{"id": "a", "tracking_number": "1"}], {"connection": target}))
    assert kind == "response" and answer["results"][0]["error"]["type"] == "ConnectionRefused"


def test_classify_messages_answers(tmp_path: Path) -> None:
    item = {"id": "a", "carrier": "dhl", "carrier_code": "", "message": "Delivered to recipient"}
    with environment("shipments-classify-messages", tmp_path) as api:
        kind, answer = api.call(envelope([item]))
    assert kind == "response" and answer["results"][0]["ok"], answer
    assert {"status", "confidence", "decided_by"} <= set(answer["results"][0]["value"])


def test_the_wait_probe_waits_and_refuses_nonsense(tmp_path: Path) -> None:
    with environment("platform-wait-probe", tmp_path) as api:
        started = time.monotonic()
        assert api.call({"seconds": 0.3}) == ("response", {"slept": 0.3})
        assert time.monotonic() - started >= 0.3
        refused: list[Any] = [{"seconds": -1}, {"seconds": "1"}, {"seconds": True}, [], {"seconds": 1e9}]
        for nonsense in refused:
            kind, answer = api.call(nonsense)
            assert (kind, answer["errorType"]) == ("error", "ValueError")
