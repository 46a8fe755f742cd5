"""JSON: platform records in any order and packing, and the JSON that is not from the platform."""

from __future__ import annotations

import json

import pytest

from services_registry.telemetry.parser import PlatformLine, Reject, parse_message

ID = "459921b5-681c-4a96-beb0-81e0aa586026"
METRICS = {
    "durationMs": 147.156,
    "billedDurationMs": 201,
    "memorySizeMB": 512,
    "maxMemoryUsedMB": 91,
    "restoreDurationMs": 500.795,
    "billedRestoreDurationMs": 53,
}
RECORD = {
    "time": "2024-02-09T08:42:44.080Z",
    "type": "platform.report",
    "record": {"requestId": ID, "metrics": METRICS, "status": "timeout"},
}
TEXT = json.dumps(RECORD)
REPORT_TEXT = f"REPORT RequestId: {ID}\tDuration: 3.00 ms\tBilled Duration: 3 ms\t"


def only(text: str) -> PlatformLine:
    (found,) = parse_message(text)
    assert isinstance(found, PlatformLine)
    return found


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        json.dumps(RECORD, indent=2),
        json.dumps({"type": RECORD["type"], "record": RECORD["record"], "time": RECORD["time"]}),
        json.dumps(TEXT),
        json.dumps([RECORD]),
        f"2024-02-09T08:42:44.999Z {TEXT}",
        f"{TEXT} | pasted",
        "tool said " + json.dumps(TEXT),
        json.dumps({"timestamp": 1, "message": TEXT}),
        json.dumps({"message": RECORD}),
        json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": TEXT + "\n"}]}),
    ],
)
def test_a_report_record_is_read_in_any_order_and_packing(text: str) -> None:
    assert only(text) == PlatformLine(
        "platform.report",
        ID,
        time="2024-02-09T08:42:44.080Z",
        duration_ms=147.156,
        billed_ms=201,
        memory_mb=512,
        max_memory_mb=91,
        restore_ms=500.795,
        billed_restore_ms=53,
        status="timeout",
    )


def test_a_delivery_of_the_telemetry_api_is_read_record_by_record() -> None:
    delivery = [
        {"time": "t", "type": "platform.start", "record": {"requestId": ID, "version": "$LATEST"}},
        {"time": "t", "type": "function", "record": "hello"},
        {"time": "t", "type": "platform.initReport", "record": {"phase": "init", "metrics": {"durationMs": 565.4}}},
        RECORD,
    ]
    found = [line for line in parse_message(json.dumps(delivery)) if isinstance(line, PlatformLine)]
    assert [line.kind for line in found] == ["platform.start", "platform.initReport", "platform.report"]
    assert (found[1].phase, found[1].duration_ms, found[1].init_ms) == ("init", 565.4, None)


@pytest.mark.parametrize("wrong", ["12", "NaN", "Infinity", "-1", "true", "[1]", "1" + "0" * 400])
def test_a_metric_that_is_not_a_sound_number_is_left_out(wrong: str) -> None:
    text = TEXT.replace("147.156", f'"{wrong}"' if wrong == "12" else wrong)
    line = only(text)
    assert (line.duration_ms, line.billed_ms, line.unread) == (None, 201, ("durationMs",))


def test_an_error_type_of_null_is_simply_not_stated() -> None:
    line = only('{"type":"platform.runtimeDone","time":"t","record":{"errorType":null,"status":"failure"}}')
    assert (line.error_type, line.status, line.unread) == (None, "failure", ())


@pytest.mark.parametrize(
    "record",
    [
        {"fields": None, "level": "info", "timestamp": "2018-05-17T14:46:28+08:00", "message": REPORT_TEXT},
        {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {ID} Error: Task timed out after 3.00 seconds"},
        {"level": "INFO", "data": {"quoted": [TEXT]}},
    ],
)
def test_a_record_of_an_application_that_quotes_a_line_is_named_but_not_read(record: dict[str, object]) -> None:
    assert only(json.dumps(record)) == PlatformLine("JSON_OTHER")


@pytest.mark.parametrize(
    "text",
    [
        '{"ok": true}',
        '{"level":"INFO","message":"platform.example.com answered"}',
        '{"message": "REPORT RequestId',
        "[1, 2]",
    ],
)
def test_other_json_is_ordinary_text(text: str) -> None:
    assert [found for found in parse_message(text) if isinstance(found, PlatformLine)] == []


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-30],
        TEXT[:80],
        '{"type":"platform.report"}',
        '{"type":"platform.report","record":[]}',
        '{"message":"' + REPORT_TEXT.replace("\t", "\\t"),
        "[" * 100_000 + "RequestId:",
        '{"message":' * 2_000 + '"platform."',
    ],
)
def test_json_that_is_cut_broken_or_bottomless_is_rejected(text: str) -> None:
    assert [type(found) for found in parse_message(text)] == [Reject]
