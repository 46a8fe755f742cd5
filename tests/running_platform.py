"""The whole platform as `make run` starts it, on a folder of its own, and ways to look at it from outside.

One for all tests of a session that want one (the `platform` fixture): it takes half a minute to start.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embedded.demo.client import Client
from embedded.demo.job import shipments_csv
from tests.embedded import running_stack
from tests.embedded.running_stack import ROOT

PATIENCE_S = 240.0


class Platform:
    """`client` acts as the operator; `key_of` makes a key for another login. `pid` is the supervisor's."""

    def __init__(self, pid: int, ready: dict[str, Any]) -> None:
        self.pid = pid
        path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
        self.client = Client(ready["url"], {**running_stack.environment(), **ready["env"], "PYTHONPATH": path})
        self.client.key = self.key_of("operator")
        self.client.command("sync_functions")  # without it, reports have no function of the registry to belong to

    def key_of(self, login: str) -> str:
        key, _errors = self.client.command("create_token", "tests", "--user", login)
        return key

    def send(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> tuple[int, Any]:
        """(status, JSON) of one request, refusals included."""
        headers = {"Authorization": f"Bearer {key or self.client.key}", "Content-Type": "application/json"} | headers
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(  # noqa: S310  # our own loopback address
            f"{self.client.url}/api/v1/{path}", content, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # the same
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def deliveries(self, prefix: str, count: int) -> list[str]:
        """Ids of that many newly imported deliveries, whose tracking numbers begin with `prefix`."""
        counts = self.client.post("shipments/import/", shipments_csv(count).replace("DEMO", prefix).encode())
        assert counts["created"] == count, counts
        rows = self.client.pages("shipments/", q=prefix)
        ids = [str(row["id"]) for row in rows if row["tracking_number"].startswith(prefix)]
        assert len(ids) == count
        return ids

    def notes_of(self, ids: list[str]) -> list[str]:
        """For every stored delivery note of these deliveries, the delivery's id."""
        rows = self.client.pages("documents/", type="delivery_note")
        return sorted(str(row["shipment"]) for row in rows if str(row["shipment"]) in set(ids))

    def child(self, *words: str) -> int:
        """The pid of this platform's server of that name, or with these words in its command; 0 while there is none."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                command.append((folder / "comm").read_text().strip())
                if parent == self.pid and set(words) <= set(command):
                    return int(folder.name)
        return 0

    def worker(self) -> int:
        """The pid of the Celery worker; 0 while there is none."""
        return self.child("celery", "worker")


@contextlib.contextmanager
def running(data: Path) -> Iterator[Platform]:
    """A platform without sample data that answers; stopped in order at the end.

    PLATFORM_READY, a file with the ready line and a `pid` in it, names a running one instead, for work on the tests.
    """
    if known := os.environ.get("PLATFORM_READY"):
        ready = json.loads(Path(known).read_text(encoding="utf-8"))
        yield Platform(ready["pid"], ready)
        return
    command = running_stack.command(data, "--port", "0", "--ready-json", "--until-eof", "--no-sample")
    log = data.with_suffix(".log")
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603  # our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env=running_stack.environment(), cwd=ROOT,
        )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        found, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        line = process.stdout.readline() if found else ""
        assert line, f"the platform did not come up: {log.read_text(encoding='utf-8')[-3000:]}"
        yield Platform(process.pid, json.loads(line))
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            process.kill()
            process.stdout.close()


def until(happened: Any, seconds: float, pause: float = 0.05) -> Any:
    """The first true answer within that time, else the last one."""
    deadline = time.monotonic() + seconds
    while not (answer := happened()) and time.monotonic() < deadline:
        time.sleep(pause)
    return answer
