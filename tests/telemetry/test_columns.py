"""Events read in columns give exactly what reading them one by one gives, whatever was done to them."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from services_registry.models import DoorHour, Function, FunctionHour, InvocationReport, RejectedLine, ReportKey
from services_registry.telemetry import columnar
from services_registry.telemetry.ingest import Counts, ingest_stream, unattributed
from services_registry.telemetry.parser import PlatformLine, Reject, parse_message
from services_registry.telemetry.parser.columns import numbers, read_columns
from tests.shared_data import shared_path
from tests.telemetry.conftest import report_line, request_id, timeout_line

REAL = "lambda-logs/lambda_log_lines_dev.jsonl"
NAMES = ("duration_ms", "billed_ms", "memory_mb", "max_memory_mb", "init_ms")
ID = request_id(7)
Found = PlatformLine | Reject

plain_figures = st.integers(0, 90_000_000).map(lambda n: f"{n / 100:.2f}")
odd_figures = st.sampled_from(["0.00", "00.10", "1.5", "3.", ".5", "1e3", "1,50", "-2.00", "+1.00", "999999999.99", "17",
                               "9999999999.99", "inf", "nan", "²3.00", "1_0.00", "1.123456", "1.1234567", "0.005"])  # fmt: skip
plain_wholes = st.integers(1, 900_000).map(str)
odd_wholes = st.sampled_from(["007", "0", "1.0", "", "٣", "1e2", "-1", "+1", " 5", "999999999", "9999999999"])
plain_ids = st.uuids().map(str)
odd_ids = st.sampled_from([
    "", "abc", f"{ID[:-1]}", f"{ID}0", ID.replace("-", "_"), ID[:-1] + "é", ID[:-1] + "\\", ID[:-1] + '"', ID.upper(),
    f"{ID[:-1]}F", f"{ID[:-1]}\x1f",
])  # fmt: skip


class Parts:
    """Draws the parts of a line: all of them plain, or one of them odd."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw, self._left = draw, draw(st.integers(0, 14))

    def take(self, plain: st.SearchStrategy[str], odd: st.SearchStrategy[str]) -> str:
        self._left -= 1
        return self._draw(odd if self._left == 0 else plain)

    def figure(self) -> str:
        return self.take(plain_figures, odd_figures)

    def whole(self) -> str:
        return self.take(plain_wholes, odd_wholes)


@st.composite
def texts(draw: st.DrawFn) -> str:
    part = Parts(draw)
    init = f"\tInit Duration: {part.figure()} ms" if draw(st.booleans()) else ""
    ends = st.sampled_from(["\t\t", "\n\n", " ", "\r\n", "\tStatus: timeout", "\n\t", "\t\n\n",
                            "\t\nXRAY TraceId: 1-5e1b4151-43a0913a12345678901234567\tSampled: true"])  # fmt: skip
    end = part.take(st.sampled_from(["", "\t", "\n", "\t\n"]), ends)
    return (
        f"REPORT RequestId: {part.take(plain_ids, odd_ids)}\tDuration: {part.figure()} ms\t"
        f"Billed Duration: {part.whole()} ms\tMemory Size: {part.whole()} MB\tMax Memory Used: {part.whole()} MB{init}{end}"
    )


@st.composite
def records(draw: st.DrawFn) -> str:
    part = Parts(draw)
    moments = st.sampled_from(["2026-02-30T10:00:00.123Z", "2026-11-24T25:00:00.123Z", "2026-11-24T10:00:60.000Z",
                               "2026-11-24T10:00:00Z", "1999-11-24T10:00:00.123Z", "2026-11-24 10:00:00.123Z"])  # fmt: skip
    moment = part.take(st.just("2026-11-24T10:00:00.123Z"), moments)
    init = f',"initDurationMs":{part.figure()}' if draw(st.booleans()) else ""
    known, odd = ["success", "timeout", "error", "failure"], ["Success", "", 'success","errorType":"X', "succes"]
    status = part.take(st.sampled_from(known), st.sampled_from(odd))
    space = part.take(st.just(""), st.just(" "))
    end = part.take(st.sampled_from(["", "\n"]), st.sampled_from(["}", " ", "\n\n", ","]))
    return (
        f'{{"time":{space}"{moment}","type":"platform.report","record":{{"requestId":"{part.take(plain_ids, odd_ids)}",'
        f'"metrics":{{"durationMs":{part.figure()},"billedDurationMs":{part.whole()},"memorySizeMB":{part.whole()},'
        f'"maxMemoryUsedMB":{part.whole()}{init}}},"status":"{status}"}}}}{end}'
    )


OTHERS = [
    "", "\n", "an application's own text", f"START RequestId: {ID} Version: $LATEST\n", f"END RequestId: {ID}",
    f"START RequestId: {ID} Version: 7 and more", f"END RequestId: {ID.upper()}", "LOGS\tName: x\tState: Subscribed",
    f"2026-11-24T10:00:00.000Z {ID} Task timed out after 3.00 seconds", f"RequestId: {ID} Error: Runtime exited",
    '{"time":"2026-11-24T10:00:00.123Z","type":"platform.start","record":{"requestId":"x"}}', "{", '{"level":"INFO"}',
    '{"message":"REPORT RequestId: x"}', "INIT_START Runtime Version: python:3.13", "REPORT RequestId: ",
]  # fmt: skip


@st.composite
def mutilated(draw: st.DrawFn, whole: st.SearchStrategy[str]) -> str:
    """A text that was cut, or in which something was taken out, doubled or put in."""
    text = draw(whole)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    what = draw(st.sampled_from(["cut", "begin", "out", "double", "in"]))
    put_in = draw(st.sampled_from(["\t", "\n", " ", "0", ".", '"', "\\", "}", "{", ",", "é", "\x00", "\x1f", "ms"]))
    changed = {
        "cut": text[:start], "begin": text[start:], "out": text[:start] + text[end:],
        "double": text[:end] + text[start:], "in": text[:start] + put_in + text[start:],
    }  # fmt: skip
    return changed[what]


some = st.one_of(texts(), records(), st.sampled_from(OTHERS))
mixes = st.lists(st.one_of(some, mutilated(st.one_of(texts(), records()))), max_size=12)


def in_columns(events: Sequence[str]) -> tuple[list[list[Found] | None], int]:
    """What columns make of each event (None: a plain START or END), with `rest` read as it would be; and how many rows
    were read in columns."""
    found = read_columns(events)
    read: list[list[Found] | None] = [[] for _ in events]
    for frame, kind in ((found.reports, "REPORT"), (found.records, "platform.report")):
        for row in frame.with_columns(numbers()).iter_rows(named=True):
            values = {name: row[name] for name in NAMES}
            stated = {"time": row["time"], "status": row["status"]} if kind != "REPORT" else {}
            read[row["place"]] = [PlatformLine(kind, request_id=row["request_id"], **values, **stated)]
    for place in found.rest:
        assert read[place] == []
        read[place] = list(parse_message(events[place]))
    for place in found.companions:
        assert read[place] == []
        read[place] = None
    return read, found.reports.height + found.records.height


def agrees(events: Sequence[str]) -> int:
    read, rows = in_columns(events)
    for text, mine in zip(events, read, strict=True):
        careful = list(parse_message(text))
        if mine is None:
            assert [line.kind in ("START", "END") for line in careful if isinstance(line, PlatformLine)] == [True], text
        else:
            assert mine == careful, text
    return rows


@pytest.mark.slow
@given(mixes)
@settings(max_examples=300, deadline=None)
def test_any_mix_of_whole_and_mutilated_events_reads_the_same(events: list[str]) -> None:
    agrees(events)


def test_usual_events_are_read_in_columns() -> None:
    usual = [report_line(ID), report_line(ID, tail="\t\n"), report_line(ID, tail="\tInit Duration: 8.25 ms\t\n")]
    record = {"requestId": ID, "metrics": {"durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128,
                                           "maxMemoryUsedMB": 60, "initDurationMs": 99}, "status": "timeout"}  # fmt: skip
    said = {"time": "2026-11-24T10:00:00.123Z", "type": "platform.report", "record": record}
    usual.append(json.dumps(said, separators=(",", ":")))
    assert agrees([*usual, *OTHERS]) == len(usual)


def test_real_lines_whole_cut_and_spoilt_read_the_same() -> None:
    real = [json.loads(line)["line"] for line in shared_path(REAL).read_text(encoding="utf-8").splitlines()]
    dice = random.Random(4)
    cut = [text[: dice.randrange(len(text) + 1)] for text in real for _ in range(6)]
    spoilt = [
        text[:at] + dice.choice('\t\n .0}"') + text[at + 1 :] for text in real for at in [dice.randrange(len(text))]
    ]
    assert agrees(real + cut + spoilt) > 20


def events(now: datetime) -> list[str]:
    """Whole, cut, repeated, late and future lines, time-outs told beside their report, in shared and unknown groups."""
    dice, lines = random.Random(8), []
    for n in range(700):
        at = now - timedelta(seconds=dice.uniform(0, 86_400 * 2))
        if n % 97 == 0:
            at = now + timedelta(days=3)
        if n % 89 == 0:
            at = now - timedelta(days=dice.choice([31, 88, 95, 400]))
        group = dice.choice(["/aws/lambda/one", "/aws/lambda/two", "/shared", "/nobody", ""])
        text = report_line(request_id(n), ms=dice.choice([0.0, 3000.0, 12.34, 99.99]), tail=dice.choice(["", "\t\n"]))
        if n % 7 == 0:
            text = report_line(request_id(n), ms=12.5, tail="\tInit Duration: 250.10 ms\t\n")
        if n % 11 == 0:
            metrics = {
                "durationMs": dice.choice([7, 7.125, 7.5]),
                "billedDurationMs": 8,
                "memorySizeMB": 256,
                "maxMemoryUsedMB": 70,
            }
            record = {
                "requestId": request_id(n),
                "metrics": metrics,
                "status": dice.choice(["success", "error", "timeout"]),
            }
            stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
            if n % 4 == 0:
                stamp = dice.choice(["2026-02-30T10:00:00.123Z", "2026-11-20T24:00:00.000Z", "2026-11-20T10:00:00Z"])
            text = json.dumps({"time": stamp, "type": "platform.report", "record": record}, separators=(",", ":"))
        if n % 13 == 0:
            text = text[: dice.randrange(40, len(text))]
        event: dict[str, Any] = {"message": text, "timestamp": int(at.timestamp() * 1000)}
        if group:
            event["logGroup"] = group
        if n % 17 == 0:
            del event["timestamp"]
        lines.append(event)
        if n % 5 == 0:
            lines.append({**event, "message": f"END RequestId: {request_id(n)}\n"})
        if n % 19 == 0:
            lines.append({**event, "message": timeout_line(request_id(n), at)})
        if n % 23 == 0:
            lines.append(event)
    dice.shuffle(lines)
    return [f"{json.dumps(line)}\n" for line in lines]


def taken(lines: list[str], monkeypatch: pytest.MonkeyPatch, worth_it: int) -> tuple[Counts, list[Any]]:
    """What ingesting comes to; undone afterwards."""
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(columnar, "WORTH_IT", worth_it)
        counts = ingest_stream(io.StringIO("".join(lines)), door="file")
        again = ingest_stream(io.StringIO("".join(lines)), door="pull")
        assert (again.new, again.known) == (0, counts.new + counts.known)
        report = ("function_id", "request_id", "digest", "at", "duration_ms", "billed_ms", "memory_mb", "max_memory_mb",
                  "init_ms", "restore_ms", "status", "error_type", "door")  # fmt: skip
        stored: list[Any] = [
            sorted(InvocationReport.objects.exclude(at__gte=NOW).values_list(*report)),
            sorted(InvocationReport.objects.filter(at__gte=NOW).values_list("request_id", "digest", "status")),
            sorted(ReportKey.objects.values_list("key", "received"), key=str),
            sorted((*row[:2], bytes(row[2])) for row in FunctionHour.objects.values_list("invocations", "errors", "histogram")),
            sorted(RejectedLine.objects.values_list("reason", "event"), key=str),
            list(DoorHour.objects.order_by("door").values_list("door", "lines", "reports", "new", "known", "rejected", "timed")),
        ]  # fmt: skip
        transaction.set_rollback(True)
    return counts, stored


NOW = datetime.now(UTC)


def test_what_is_stored_is_the_same_either_way(
    make_function: Callable[[str], Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_function("one")
    make_function("two")
    Function.objects.filter(name__in=["one", "two"]).update(log_group="")
    for name in ("first", "second"):
        function = make_function(name)
        function.log_group = "/shared"
        function.save()
    unattributed()
    lines = events(NOW)
    counts, stored = taken(lines, monkeypatch, worth_it=0)
    expected, careful = taken(lines, monkeypatch, worth_it=1_000_000)
    assert counts == expected
    for mine, theirs in zip(stored, careful, strict=True):
        assert mine == theirs
    assert counts.new > 300 and counts.rejected > 20 and counts.events == len(lines)
