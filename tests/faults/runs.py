"""Batches of the fault function, started and followed at the REST API, and counted at both ends.

What the platform says (items by state) is compared with what the function itself has counted.
"""

from __future__ import annotations

import contextlib
import io
import json
import urllib.error
import urllib.request
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import psycopg
from botocore.config import Config

from embedded.demo.client import DemoError
from tests.running_platform import Platform, until

TIMEOUT_S = 2
Item = dict[str, Any]


@dataclass(frozen=True)
class Counts:
    """A batch at one moment. `effects` are done things that can be seen from outside, `twice` those done again."""

    total: int
    succeeded: int
    failed: int
    effects: int
    twice: int = 0

    def __str__(self) -> str:
        return f"{self.total:,} / {self.succeeded:,} / {self.failed:,} / {self.effects:,}"


class Faulty:
    """The platform together with its local AWS and database, and the functions that go wrong in it."""

    def __init__(self, platform: Platform, counts: Path) -> None:
        self.platform = platform
        self.client = platform.client
        self.counts = counts
        self._endpoint = self.client.env["AWS_ENDPOINT_URL"]

    def publish(self, *names: str) -> None:
        """Publish the fault function under these names and let the registry know."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(Path(__file__).with_name("bad_function.py"), "app.py")
        functions = boto3.client(
            "lambda", endpoint_url=self._endpoint, region_name=self.client.env["AWS_REGION"],
            aws_access_key_id="local", aws_secret_access_key="local", config=Config(read_timeout=20),
        )  # fmt: skip
        for name in names:
            functions.create_function(
                FunctionName=name, Runtime="python3.12", Role="arn:aws:iam::123456789012:role/faults", MemorySize=128,
                Handler="app.handler", Timeout=TIMEOUT_S, Code={"ZipFile": packed.getvalue()},
                Environment={"Variables": {"COUNTS": str(self.counts)}},
            )  # fmt: skip
        self.client.command("sync_functions")

    def door(self, path: str, wish: dict[str, Any] | None = None) -> dict[str, Any]:
        """The local AWS's own door."""
        body = json.dumps(wish).encode() if wish is not None else None
        with urllib.request.urlopen(f"{self._endpoint}/_local/{path}", body, timeout=10) as answer:  # noqa: S310  # ours
            found: dict[str, Any] = json.load(answer)
        return found

    def fault(self, mode: str, seconds: float = 0, **more: Any) -> None:
        self.door("fault", {"mode": mode, "seconds": seconds, **more})

    def struck(self, function: str) -> int:
        """How many invocations of this function the fault under way has hit."""
        return sum(fault["struck"] for fault in self.door("state")["faults"] if fault["function"] == function)

    def running(self, function: str) -> int:
        """How many invocations of this function are under way."""
        environments = self.door("state")["environments"]
        return sum(one["function"] == function and one["status"] == "running" for one in environments)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """For what no door shows, or no person can do."""
        with psycopg.connect(self.client.env["DATABASE_URL"], autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def healthy(self) -> bool:
        """Whether every part is there, and no fault of AWS but those of single functions."""
        try:
            self.sql("SELECT 1")
            return (
                all(self.platform.child(*words) for words in (("celery", "worker"), ("valkey-server",), ("postgres",)))
                and not any(fault["function"] == "" for fault in self.door("state")["faults"])
                and self.platform.send("GET", "batches/?page_size=1")[0] == 200
            )
        except (OSError, psycopg.Error, ValueError):
            return False

    def start(self, function: str, items: Sequence[Item], *, chunk_size: int = 0, **options: Any) -> Run:
        """Start a batch with one item for each; with a chunk size in envelopes, else one plain payload a call."""
        run = unique("R")
        payloads = [{"run": run, "n": number, **item} for number, item in enumerate(items)]
        asked: Item = {"function": function, "payloads": payloads, **options}
        if chunk_size:
            asked |= {"chunked": True, "chunk_size": chunk_size, "repeatable": True}
        return self.follow(run, self.client.post("batches/", asked))

    def follow(self, run: str, batch: dict[str, Any]) -> Run:
        """A batch whose items count under this name."""
        return Run(self, batch, partial(self._marks, run))

    def _marks(self, run: str) -> tuple[list[str], int]:
        """What was done, and in how many calls, as the function itself has counted."""
        done, calls = (self.counts / f"{run}.{what}" for what in ("done", "calls"))
        return (
            done.read_text().split() if done.exists() else [],
            len(calls.read_text().split()) if calls.exists() else 0,
        )


class Run:
    """One batch under way. `marks` tells what was done outside of the platform, and in how many calls if it knows."""

    def __init__(self, faulty: Faulty, batch: dict[str, Any], marks: Callable[[], tuple[list[str], int]]) -> None:
        self.faulty = faulty
        self.id = batch["id"]
        self.calls = 0
        self._marks = marks
        self._last = batch

    def child(self, batch: dict[str, Any]) -> Run:
        """A retry of this one, which counts under its name."""
        return Run(self.faulty, batch, self._marks)

    def batch(self) -> dict[str, Any]:
        """As the API shows it now; as it showed it last while the platform does not answer."""
        with contextlib.suppress(DemoError, OSError, ValueError):
            self._last = self.faulty.client.get(f"batches/{self.id}/")
        return self._last

    def counts(self) -> Counts:
        marks, self.calls = self._marks()
        now = self.batch()
        effects = len(set(marks))
        return Counts(now["total"], now["succeeded"], now["failed"], effects, len(marks) - effects)

    def reached(self, succeeded: int, within: float = 60) -> Counts:
        """Wait until so many are done."""
        assert until(lambda: self.batch()["succeeded"] >= succeeded, within), f"too few in {within} s: {self.batch()}"
        return self.counts()

    def ended(self, within: float = 90) -> Counts:
        """Wait for the end. The counters must be what the items say."""
        over = until(lambda: self.batch()["finished"], within, 0.2)
        assert over, f"not ended after {within} s: {self.batch()}\n{self._open_chunks()}"
        states = Counter(item["state"] for item in self.items())
        now = self.batch()
        assert now["state"] == "done", now
        assert states == Counter({name: now[name] for name in ("succeeded", "failed") if now[name]}), (states, now)
        return self.counts()

    def items(self, **query: Any) -> Iterable[dict[str, Any]]:
        return self.faulty.client.pages(f"batches/{self.id}/items/", **query)

    def failures(self) -> dict[str, int]:
        """Failed items by the type of their error."""
        return dict(Counter(item["error_type"] for item in self.items(state="failed")))

    def chunks(self) -> list[dict[str, Any]]:
        return list(self.faulty.client.pages(f"batches/{self.id}/chunks/"))

    @property
    def took(self) -> float:
        """Seconds from its start to its end, as the platform says."""
        begin, end = (datetime.fromisoformat(self._last[name]) for name in ("created", "finished"))
        return (end - begin).total_seconds()

    @property
    def invocations(self) -> int:
        """How often the engine counts to have invoked."""
        return sum(chunk["attempt"] for chunk in self.chunks())

    @property
    def waits(self) -> int:
        """How often a chunk was put off without being run."""
        rows = self.faulty.sql("SELECT sum(waits) FROM services_registry_chunk WHERE batch_id = %s", self.id)
        return int(rows[0][0])

    def _open_chunks(self) -> list[tuple[Any, ...]]:
        return self.faulty.sql(
            "SELECT position, state, attempt, waits, worker, outcome, error_type, error_message, not_before, lease_until, now() "
            "FROM services_registry_chunk WHERE batch_id = %s AND finished IS NULL LIMIT 20",
            self.id,
        )


def unique(word: str) -> str:
    """A name that no earlier run of the tests has used on this platform."""
    return f"{word}{uuid.uuid4().hex[:6]}".upper()


def documents(faulty: Faulty, ids: list[str], batch: dict[str, Any]) -> Run:
    """A batch of render_pdf, whose effects are the delivery notes that are stored."""
    return Run(faulty, batch, lambda: (faulty.platform.notes_of(ids), 0))


def ok(count: int, seconds: float = 0.0) -> list[Item]:
    return [{"do": "ok", "seconds": seconds} for _ in range(count)]
