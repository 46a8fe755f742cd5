"""How quickly log lines are read, against the ways people read them. `python -m bench.reading ROUNDS` prints JSON."""

from __future__ import annotations

import gc
import json
import random
import re
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from services_registry.telemetry.parser import PlatformLine, parse_message
from services_registry.telemetry.parser.columns import numbers, read_columns

TOGETHER = 20_000
"""Lines read at once, as many as are stored at once."""
NAMED = re.compile(
    r"REPORT RequestId: (?P<id>\S+)\tDuration: (?P<duration>[\d.]+) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<memory>\d+) MB\tMax Memory Used: (?P<most>\d+) MB(?:\tInit Duration: (?P<init>[\d.]+) ms)?"
)
_FIELDS = ("request_id", "duration_ms", "billed_ms", "memory_mb", "max_memory_mb", "init_ms")
_METRICS = ("durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs")
Values = tuple[Any, ...]

Read = Callable[[list[str]], Any]


def main(rounds: int) -> list[dict[str, Any]]:
    """Columns are held to the goals, which a busy machine misses: see docs/telemetry.md."""
    text, documents = _texts(50_000)
    found = []
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
        found.append({"name": name, "ours": max(mine), "peer": max(theirs), "bound": bound, "n": len(lines)})
    return found


def _lines_per_s(read: Callable[[list[str]], Any], lines: list[str]) -> float:
    gc.collect()
    began = time.process_time()
    read(lines)
    return len(lines) / (time.process_time() - began)


def _columns(lines: list[str]) -> Any:
    """As they are stored: two frames, one of them empty here; numbers as numbers."""
    frames = []
    for start in range(0, len(lines), TOGETHER):
        found = read_columns(lines[start : start + TOGETHER])
        assert not found.rest  # noqa: S101  # nothing was left over
        frames.append((found.reports if found.reports.height else found.records).select("request_id", *numbers()))
    return frames


def _rows(read: Any) -> list[Values]:
    return read if read and isinstance(read[0], tuple) else [row for frame in read for row in frame.rows()]


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
        found = NAMED.match(text)
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


def _texts(count: int) -> tuple[list[str], list[str]]:
    dice = random.Random(1)  # noqa: S311  # no secret
    text, documents = [], []
    for _ in range(count):
        request_id, ms = uuid.UUID(int=dice.getrandbits(128), version=4), dice.lognormvariate(5, 1)
        text.append(line_of(dice, request_id, ms))
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


def line_of(dice: random.Random, request_id: uuid.UUID, ms: float) -> str:
    init = f"Init Duration: {dice.uniform(100, 900):.2f} ms\t" if dice.random() < 0.05 else ""
    return (
        f"REPORT RequestId: {request_id}\tDuration: {ms:.2f} ms\tBilled Duration: {int(ms) + 1} ms\t"
        f"Memory Size: 512 MB\tMax Memory Used: {dice.randint(50, 400)} MB\t{init}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]))))
