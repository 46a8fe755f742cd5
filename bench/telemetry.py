"""Telemetry: reading REPORT lines against the ways people read them, and storing them against one ORM row at a time."""

from __future__ import annotations

import gc
import io
import json
import random
import re
import resource
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bench.results import Result, at_least, at_most
from services_registry.models import Function, FunctionDay, FunctionHour, InvocationReport
from services_registry.telemetry.histogram import decode, encode
from services_registry.telemetry.ingest import ingest_events, ingest_stream
from services_registry.telemetry.parser import PlatformLine, parse_message
from services_registry.telemetry.parser.columns import numbers, read_columns
from services_registry.telemetry.rollups import Sums
from services_registry.telemetry.sources import events_of

FUNCTIONS, LINES, PEER_LINES, MILLION = 200, 100_000, 1_000, 1_000_000
_NAMED = re.compile(
    r"REPORT RequestId: (?P<id>\S+)\tDuration: (?P<duration>[\d.]+) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<memory>\d+) MB\tMax Memory Used: (?P<most>\d+) MB(?:\tInit Duration: (?P<init>[\d.]+) ms)?"
)
_FIELDS = ("request_id", "duration_ms", "billed_ms", "memory_mb", "max_memory_mb", "init_ms")
_METRICS = ("durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs")
Values = tuple[Any, ...]


def reading(rounds: int) -> Iterator[Result]:
    """Processor time, so the same as one core; the same values out of both.

    In columns is how events are stored (at least 300 at once); one by one is how whatever has an odd shape is read.
    """
    text, documents = _texts(50_000)
    for name, lines, ours, peer, bound in (
        ("reading REPORT lines in columns, against one compiled pattern a line", text, _columns, _by_pattern, 3),
        ("reading JSON report records in columns, against json.loads a line", documents, _columns, _by_json, 4),
        ("reading REPORT lines one by one, against one compiled pattern a line", text, _one_by_one, _by_pattern, 0.5),
        ("reading JSON report records one by one, against json.loads a line", documents, _one_by_one, _by_json, 0.55),
    ):
        assert _rows(ours(lines)) == peer(lines)  # noqa: S101  # both must have read the same
        mine, theirs = [], []
        for _ in range(rounds):
            mine.append(_lines_per_s(ours, lines))
            theirs.append(_lines_per_s(peer, lines))
        ratio = median(one / other for one, other in zip(mine, theirs, strict=True))
        yield at_least(name, ratio, bound, n=len(lines), ours_lines_s=median(mine), peer_lines_s=median(theirs))


def storing(rounds: int) -> Iterator[Result]:
    """New lines of 200 functions over six hours; the same again; and what a person writes first: a row at a time."""
    functions = _make_functions()
    ours, theirs, again = [], [], []
    _store(_events(5_000))  # partitions made, caches warm
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(rounds):
        events = _events(LINES)
        ours.append(_store(events))
        again.append(_store(events))
        theirs.append(_row_by_row(_events(PEER_LINES), functions))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    figures = {"new_lines_s": median(ours), "known_lines_s": median(again), "peer_lines_s": median(theirs)}
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    yield at_least("storing reports with their sums, against the ORM a row at a time", ratio, 5, n=LINES, **figures)
    yield at_least("storing reports, of 20,000 lines a second", median(ours) / 20_000, 1, n=LINES, **figures)
    yield at_most("memory while storing, of 200 MB", grown / 200, 1, n=LINES, grown_mb=grown)


def a_million() -> Iterator[Result]:
    """A million new lines from one stream; memory is held against that after the first hundred thousand."""
    _make_functions()
    _store(_events(LINES))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = 0.0

    def lines() -> Iterator[str]:
        nonlocal made
        for _ in range(MILLION // LINES):
            began = time.perf_counter()
            piece = _events(LINES).splitlines(keepends=True)
            made += time.perf_counter() - began
            yield from piece

    began = time.perf_counter()
    counts = ingest_events(events_of(lines()), door="file", source="bench")
    seconds = time.perf_counter() - began - made  # without making them up
    assert counts.new == MILLION  # noqa: S101  # or it measured something else
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield at_least(
        "storing a million reports, of 20,000 lines a second", MILLION / seconds / 20_000, 1, n=MILLION, seconds=seconds
    )
    yield at_most(
        "more memory for a million lines than for 100,000, of 100 MB", grown / 100, 1, n=MILLION, grown_mb=grown
    )


def _store(events: str) -> float:
    stream = io.StringIO(events)
    began = time.perf_counter()
    counts = ingest_stream(stream, door="file", source="bench")
    return counts.reports / (time.perf_counter() - began)


def _row_by_row(events: str, functions: dict[str, Function]) -> float:
    lines = events.splitlines()
    began = time.perf_counter()
    for line in lines:
        event = json.loads(line)
        found = _NAMED.match(event["message"])
        if found is None:
            continue
        values = found.groupdict()
        with transaction.atomic():
            report, new = InvocationReport.objects.get_or_create(
                function=functions[event["logGroup"].rpartition("/")[2]], request_id=values["id"], digest="",
                defaults={
                    "at": datetime.fromtimestamp(event["timestamp"] / 1000, UTC), "door": "file",
                    "duration_ms": float(values["duration"]), "billed_ms": int(values["billed"]),
                    "memory_mb": int(values["memory"]), "max_memory_mb": int(values["most"]),
                    "init_ms": float(values["init"]) if values["init"] else None,
                },
            )  # fmt: skip
            if new:
                _add(report)
    return len(lines) / (time.perf_counter() - began)


def _add(report: InvocationReport) -> None:
    hour = report.at.replace(minute=0, second=0, microsecond=0)
    for model, key in ((FunctionHour, {"hour": hour}), (FunctionDay, {"day": hour.date()})):
        row, _new = model.objects.select_for_update().get_or_create(function=report.function, origin="reports", **key)
        sums = Sums()
        sums.add(report)
        row.invocations += 1
        row.duration_ms += report.duration_ms
        row.billed_ms += report.billed_ms
        row.histogram = encode(decode(row.histogram) + sums.histogram)
        row.save()


def _lines_per_s(read: Callable[[list[str]], Any], lines: list[str]) -> float:
    gc.collect()
    began = time.process_time()
    read(lines)
    return len(lines) / (time.process_time() - began)


def _columns(lines: list[str]) -> Any:
    """As they are stored: two frames, one of them empty here; numbers as numbers."""
    found = read_columns(lines)
    assert not found.rest  # noqa: S101  # nothing was left over
    return (found.reports if found.reports.height else found.records).select("request_id", *numbers())


def _rows(read: Any) -> list[Values]:
    return read if isinstance(read, list) else list(read.rows())


def _one_by_one(lines: list[str]) -> list[Values]:
    return [
        tuple([getattr(line, name) for name in _FIELDS])
        for text in lines
        for line in parse_message(text)
        if isinstance(line, PlatformLine)
    ]


def _by_pattern(lines: list[str]) -> list[Values]:
    read = []
    for text in lines:
        found = _NAMED.match(text)
        if found is not None:
            said = found.groupdict()
            init = float(said["init"]) if said["init"] else None
            whole = (int(said["billed"]), int(said["memory"]), int(said["most"]))
            read.append((said["id"], float(said["duration"]), *whole, init))
    return read


def _by_json(lines: list[str]) -> list[Values]:
    read = []
    for text in lines:
        record = json.loads(text)["record"]
        metrics = record["metrics"]
        read.append((record["requestId"], *[metrics.get(name) for name in _METRICS]))
    return read


def _make_functions() -> dict[str, Function]:
    arn = f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:"
    rows = [
        Function(
            name=f"bench-logs-{n}", arn=f"{arn}bench-logs-{n}", account="123456789012", region=settings.AWS_REGION,
            memory_mb=512, timeout_s=30,
        )
        for n in range(FUNCTIONS)
    ]  # fmt: skip
    Function.objects.bulk_create(rows, ignore_conflicts=True)
    return {row.name: row for row in Function.objects.filter(name__startswith="bench-logs-")}


def _texts(count: int) -> tuple[list[str], list[str]]:
    dice = random.Random(1)  # noqa: S311  # no secret
    text, documents = [], []
    for _ in range(count):
        request_id, ms = uuid.UUID(int=dice.getrandbits(128), version=4), dice.lognormvariate(5, 1)
        text.append(_line(dice, request_id, ms))
        metrics = {
            "durationMs": round(ms, 3),
            "billedDurationMs": int(ms) + 1,
            "memorySizeMB": 512,
            "maxMemoryUsedMB": 90,
        }
        record = {"requestId": str(request_id), "metrics": metrics, "status": "success"}
        said = {"time": "2026-11-24T10:00:00.123Z", "type": "platform.report", "record": record}
        documents.append(json.dumps(said, separators=(",", ":")))  # as Lambda writes it
    return text, documents


def _line(dice: random.Random, request_id: uuid.UUID, ms: float) -> str:
    init = f"Init Duration: {dice.uniform(100, 900):.2f} ms\t" if dice.random() < 0.05 else ""
    return (
        f"REPORT RequestId: {request_id}\tDuration: {ms:.2f} ms\tBilled Duration: {int(ms) + 1} ms\t"
        f"Memory Size: 512 MB\tMax Memory Used: {dice.randint(50, 400)} MB\t{init}\n"
    )


def _events(count: int) -> str:
    dice = random.Random()  # noqa: S311  # new request ids every time
    start = timezone.now() - timedelta(hours=6)
    stamps = [int((start + timedelta(seconds=dice.uniform(0, 6 * 3600))).timestamp() * 1000) for _ in range(count)]
    return "".join(
        json.dumps({
            "logGroup": f"/aws/lambda/bench-logs-{dice.randrange(FUNCTIONS)}", "timestamp": stamp,
            "message": _line(dice, uuid.uuid4(), dice.lognormvariate(5, 1)),
        }) + "\n"
        for stamp in stamps
    )  # fmt: skip
