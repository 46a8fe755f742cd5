"""`manage.py parse_reports FILE`, entered where a user enters: its files, its output, its one line on stderr."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]
ID = "3d7fc8e2-8f0e-4d0d-9c59-4b0c0f6a1b11"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB"
)
REPORT_OUT = {
    "kind": "REPORT",
    "request_id": ID,
    "duration_ms": 12.34,
    "billed_ms": 13,
    "memory_mb": 128,
    "max_memory_mb": 64,
}
RECORD = {"time": "t", "type": "platform.report", "record": {"requestId": ID, "status": "success"}}
NO_DATABASE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "SECRET_KEY": "for this test only", "DEBUG": "1"}


def parsed(tmp_path: Path, content: str) -> tuple[list[dict[str, Any]], str]:
    """The lines of stdout and the text of stderr."""
    file = tmp_path / "input.log"
    file.write_text(content, encoding="utf-8", newline="\n")
    out, errors = io.StringIO(), io.StringIO()
    call_command("parse_reports", str(file), stdout=out, stderr=errors)
    return [json.loads(line) for line in out.getvalue().splitlines()], errors.getvalue()


def test_plain_text_is_numbered_by_physical_lines(tmp_path: Path) -> None:
    wrapped = f"REPORT RequestId: {ID}\t\n    Duration: 1 ms"
    content = (
        f"START RequestId: {ID} Version: 3\n\nhello\n{REPORT}\t\r\nXRAY TraceId: 1-5\n{wrapped}\nEND RequestId: {ID}"
    )
    lines, summary = parsed(tmp_path, content)
    assert [(line["event"], line["kind"]) for line in lines] == [
        (0, "START"),
        (3, "REPORT"),
        (4, "XRAY"),
        (5, "REPORT"),
        (7, "END"),
    ]
    assert lines[1] == {"event": 3, **REPORT_OUT}
    assert lines[3]["duration_ms"] == 1
    assert "8 events; 5 platform lines" in summary


def test_ndjson_of_events_is_numbered_by_event_and_an_event_may_hold_several_lines(tmp_path: Path) -> None:
    events = [
        {"timestamp": 1591714946150, "message": f"END RequestId: {ID}\n{REPORT}\n"},
        {"message": "hello"},
        {"line": REPORT, "kind": "REPORT", "fields": {}},
        RECORD,
        {"message": json.dumps(RECORD)},
    ]
    lines, _ = parsed(tmp_path, "".join(json.dumps(event) + "\n" for event in events))
    assert [(line["event"], line["kind"]) for line in lines] == [
        (0, "END"),
        (0, "REPORT"),
        (2, "REPORT"),
        (3, "platform.report"),
        (4, "platform.report"),
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("key", ["logEvents", "events"])
def test_a_document_of_events_counts_each_of_them(tmp_path: Path, key: str, indent: int | None) -> None:
    document = {key: [{"timestamp": 1, "message": "hello"}, {"timestamp": 2, "message": REPORT}], "owner": "1"}
    lines, _ = parsed(tmp_path, json.dumps(document, indent=indent) + "\n" + REPORT + "\n")
    assert lines == [{"event": 1, **REPORT_OUT}, {"event": 2, **REPORT_OUT}]


def test_a_delivery_of_the_telemetry_api_counts_each_record(tmp_path: Path) -> None:
    delivery = [RECORD, {"time": "t", "type": "function", "record": "hello"}, RECORD]
    lines, _ = parsed(tmp_path, json.dumps(delivery))
    assert [line["event"] for line in lines] == [0, 2]


def test_brackets_in_plain_text_do_not_shift_the_numbers(tmp_path: Path) -> None:
    lines, _ = parsed(tmp_path, f"{{\n  a: 1\n}}\n[1, 2]\n[\nnever closed\n{REPORT}\n")
    assert lines == [{"event": 6, **REPORT_OUT}]


def test_rejects_are_counted_in_one_line_and_stop_nothing(tmp_path: Path) -> None:
    cut = json.dumps(RECORD)[:-9]
    lines, summary = parsed(
        tmp_path, f"{cut}\nREPORT RequestId: 1 lost\nREPORT RequestId: {ID}\tDuration: 12\n{REPORT}\n\xff"
    )
    assert [line["event"] for line in lines] == [2, 3]
    assert lines[0] == {"event": 2, "kind": "REPORT", "request_id": ID}
    assert summary.count("\n") == 1
    assert "2 rejected" in summary
    assert "the first in event 0" in summary
    assert "1 values left out" in summary


@pytest.mark.slow
def test_standard_input_is_read_under_the_name_dash_and_without_a_database() -> None:
    done = subprocess.run(  # noqa: S603 - our own manage.py
        [sys.executable, str(ROOT / "manage.py"), "parse_reports", "-"],
        input=REPORT + "\n", capture_output=True, text=True, timeout=60, env={**os.environ, **NO_DATABASE}, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"event": 0, **REPORT_OUT}


def test_a_missing_file_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="Give the path of a log file, or - for stdin"):
        call_command("parse_reports", "/nowhere/at-all.log")
