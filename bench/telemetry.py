"""Telemetry: reading REPORT lines against the ways people read them, and storing them against one ORM row at a time."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bench.reading import NAMED, line_of
from bench.results import Result, at_least, at_most
from services_registry.models import Function, FunctionDay, FunctionHour, InvocationReport
from services_registry.telemetry.histogram import decode, encode
from services_registry.telemetry.ingest import ingest_events, ingest_stream
from services_registry.telemetry.rollups import Sums
from services_registry.telemetry.sources import events_of

FUNCTIONS, LINES, PEER_LINES, MILLION = 200, 100_000, 1_000, 1_000_000


def reading(rounds: int) -> Iterator[Result]:
    """In a process of its own with one thread, so on one core; the best of the rounds of each side.

    In columns is how events are stored (where there are many at once); one by one is how what has an odd shape is read.
    """
    said = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "bench.reading", str(rounds)], env=os.environ | {"POLARS_MAX_THREADS": "1"}, check=True,
        stdout=subprocess.PIPE, text=True, timeout=300,
    )  # fmt: skip
    for found in json.loads(said.stdout):
        figures = {"ours_lines_s": found["ours"], "peer_lines_s": found["peer"]}
        yield at_least(found["name"], found["ours"] / found["peer"], found["bound"], n=found["n"], **figures)


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
        found = NAMED.match(event["message"])
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


def _events(count: int) -> str:
    dice = random.Random()  # noqa: S311  # new request ids every time
    start = timezone.now() - timedelta(hours=6)
    stamps = [int((start + timedelta(seconds=dice.uniform(0, 6 * 3600))).timestamp() * 1000) for _ in range(count)]
    return "".join(
        json.dumps({
            "logGroup": f"/aws/lambda/bench-logs-{dice.randrange(FUNCTIONS)}", "timestamp": stamp,
            "message": line_of(dice, uuid.uuid4(), dice.lognormvariate(5, 1)),
        }) + "\n"
        for stamp in stamps
    )  # fmt: skip
