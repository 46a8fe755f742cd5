"""Fetching 1,000 small files over one FTPS connection: the function's handler against a bare ftplib loop, in one run.

The server is the carrier stand-in in a process of its own, which demands that TLS sessions are reused; the bare loop
reuses them too, and keeps nothing. Both list the directory first. The function also checks, hashes and encodes each file.
"""

from __future__ import annotations

import ftplib  # noqa: S402  # the peer
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.results import Result, at_most
from shipments.functions.fetch_documents.ftp_clients import tls_context
from shipments.functions.fetch_documents.handler import handler

FILES, BYTES = 1_000, 8_000
LIMIT = 1.3
START_S = 30
INLINE_BYTES = 100_000_000  # all of it in one answer: storage is not what is measured


class _Context:
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


class _Bare(ftplib.FTP_TLS):
    """The least that such a server demands: data channels resume the session of the control channel."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> Any:
        channel, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  # TLS is put around it here
        session = getattr(self.sock, "session", None)
        return self.context.wrap_socket(channel, server_hostname=self.host, session=session), size


def fetching(rounds: int) -> Iterator[Result]:
    """The ratio of the quickest of `rounds` each, taken in turns: what else the machine does only makes turns slower."""
    with _server() as facts:
        bare, ours = [], []
        for _ in range(rounds):
            bare.append(_timed(lambda: _bare_loop(facts)))
            ours.append(_timed(lambda: _through_handler(facts)))
    peer, own = min(bare), min(ours)
    yield at_most(
        "fetch 1,000 files over one FTPS connection / bare ftplib loop", own / peer, LIMIT, n=FILES,
        files_per_s=FILES / own, bare_files_per_s=FILES / peer,
    )  # fmt: skip


def _timed(work: Any) -> float:
    began = time.perf_counter()
    count = work()
    if count != FILES:
        raise RuntimeError(f"{count} of {FILES} files came")
    return time.perf_counter() - began


def _bare_loop(facts: dict[str, Any]) -> int:
    client = _Bare(context=tls_context(facts["ca_pem"]), timeout=15)
    client.connect("127.0.0.1", facts["ftps"])
    client.login(facts["username"], facts["password"])
    client.prot_p()
    client.cwd("/pod")
    names = [name for name, about in client.mlsd() if about["type"] == "file"]
    for name in names:
        parts: list[bytes] = []
        client.retrbinary(f"RETR {name}", parts.append)
        if sum(map(len, parts)) < BYTES:
            raise RuntimeError(f"{name} is too short")
    client.quit()
    return len(names)


def _through_handler(facts: dict[str, Any]) -> int:
    connection = {
        "protocol": "ftps", "host": "127.0.0.1", "port": facts["ftps"], "username": facts["username"],
        "password": facts["password"], "directory": "/pod", "pattern": "{tracking_number}.pdf",
        "tls": {"reuse_session": True, "ca_pem": facts["ca_pem"]},
    }  # fmt: skip
    items = [{"id": str(n), "tracking_number": f"BENCH{n:06d}"} for n in range(FILES)]
    event = {
        "version": 1, "batch": "bench", "chunk": "bench", "context": {"connection": connection}, "items": items,
        "results": {"inline_limit": INLINE_BYTES},
    }  # fmt: skip
    return sum(1 for entry in handler(event, _Context())["results"] if entry["ok"])


@contextmanager
def _server() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="sp-bench-carrier-") as folder:
        data = Path(folder)
        command = [sys.executable, "-m", "embedded.carrier", "serve", "--data", folder]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603  # our own stand-in
        try:
            facts = _facts(data / "facts.json")
            content = b"%PDF-1.4\n" + b"x" * BYTES + b"\n%%EOF\n"
            for number in range(FILES):
                (data / "ftps" / "pod" / f"BENCH{number:06d}.pdf").write_bytes(content)
            yield facts
        finally:
            process.terminate()
            process.wait(10)


def _facts(path: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            facts: dict[str, Any] = json.loads(path.read_text())
            return facts
        except (FileNotFoundError, ValueError):
            time.sleep(0.1)
    raise RuntimeError(f"the carrier stand-in did not start within {START_S} s")
