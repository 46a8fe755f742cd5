"""Plain text: every kind of platform line, the shapes tools give it, and the text that is none."""

from __future__ import annotations

import pytest

from services_registry.telemetry.parser import PlatformLine, Reject, parse_message

ID = "3d7fc8e2-8f0e-4d0d-9c59-4b0c0f6a1b11"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 12.34 ms\tBilled Duration: 113 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 64 MB\tInit Duration: 100.50 ms\t"
)
FULL = PlatformLine("REPORT", ID, duration_ms=12.34, billed_ms=113, memory_mb=128, max_memory_mb=64, init_ms=100.5)
XRAY = "XRAY TraceId: 1-5d83c0ad-b8eb33a0b1de97d804fac890\tSegmentId: 31255c3b19bd3637\tSampled: true"


def only(text: str) -> PlatformLine:
    (found,) = parse_message(text)
    assert isinstance(found, PlatformLine)
    return found


def kinds(text: str) -> list[str]:
    return [found.kind if isinstance(found, PlatformLine) else "rejected" for found in parse_message(text)]


@pytest.mark.parametrize(
    "text",
    [
        REPORT,
        REPORT + "\r\n",
        REPORT.replace("\t", " "),
        REPORT.replace("\t", "   "),
        REPORT.replace("\t", "\\t"),
        REPORT.replace("\t", "\\\\t"),
        REPORT.replace("\t", "\xa0\xa0"),
        REPORT.replace("\t", "\n    "),
        f"\x1b[32m{REPORT}\x1b[0m",
        f"\\u001b[36m{REPORT}\\u001b[0m",
        f'"{REPORT}",',
        f"lambda_1  | {REPORT}",
        f"> {REPORT}",
        f"{REPORT} | still_frozen |  | stock-sync",
        f"1591714946150,{REPORT}",
        f"the worker printed {REPORT}",
    ],
)
def test_a_report_is_read_whatever_a_tool_did_to_its_separators_and_surroundings(text: str) -> None:
    assert only(text) == FULL


def test_the_order_of_the_labels_does_not_matter() -> None:
    line = only(f"REPORT RequestId: {ID}  Init Duration: 0.42 ms  Duration: 12.5 ms    Billed Duration: 13 ms")
    assert (line.init_ms, line.duration_ms, line.billed_ms) == (0.42, 12.5, 13)


def test_a_restore_and_its_bill_are_told_apart_from_the_run() -> None:
    line = only(
        REPORT.replace("Init Duration: 100.50 ms", "Restore Duration: 511.25 ms\tBilled Restore Duration: 303 ms")
    )
    assert (line.duration_ms, line.billed_ms, line.restore_ms, line.billed_restore_ms) == (12.34, 113, 511.25, 303)


def test_status_and_error_type_are_read() -> None:
    line = only(REPORT + "Status: error\tError Type: Runtime.OutOfMemory")
    assert (line.status, line.error_type) == ("error", "Runtime.OutOfMemory")


def test_an_xray_line_behind_a_report_belongs_to_it_and_stands_for_itself_alone() -> None:
    assert only(f"{REPORT}\n{XRAY}").xray_trace_id == "1-5d83c0ad-b8eb33a0b1de97d804fac890"
    assert only(XRAY).kind == "XRAY"
    assert only(REPORT + "\nXRAY TraceId: 1-5d83c0ad-b8eb").xray_trace_id is None


def test_one_message_may_hold_a_whole_invocation() -> None:
    text = f"START RequestId: {ID} Version: $LATEST\n[sync] Duration: 3 ms\nEND RequestId: {ID}\n{REPORT}\n{XRAY}\n"
    assert kinds(text) == ["START", "END", "REPORT"]
    assert kinds(text.replace("\n", " || ")) == ["START", "END", "REPORT"]


@pytest.mark.parametrize(
    ("text", "request_id", "seconds"),
    [
        (f"2020-06-09T15:02:26.150Z {ID} Task timed out after 3.00 seconds\n\n", ID, 3.0),
        ("2024-06-25T19:22:58.186Z  Task timed out after 30.27 seconds", None, 30.27),
        (f'RequestId: {ID} Error: Task timed out after 120.00 seconds"}}', ID, 120.0),
        (f"2020-06-09T15:02:26.150Z {ID} Task timed out after 3.00 sec", ID, None),
        ("END RequestId: my-id Task timed out after 5.00 seconds", None, 5.0),
    ],
)
def test_a_timeout_is_read_in_each_of_its_wordings(text: str, request_id: str | None, seconds: float | None) -> None:
    line = only(text)
    assert (line.kind, line.request_id, line.timeout_s) == ("TIMEOUT", request_id, seconds)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"END RequestId: {ID}", "END"),
        (f"START RequestId: {ID} Version: 17", "START"),
        (f"    RequestId: {ID} Process exited before completing request", "RUNTIME_EXIT"),
        (f"RequestId: {ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError", "RUNTIME_EXIT"),
        ("RequestId: 123 Error: Runtime exited without providing a reason", "RUNTIME_EXIT"),
        ("2024-02-13T21:01:04.046Z INIT_START Runtime Version: nodejs:20.v15\tRuntime Version ARN: arn:", "INIT_START"),
        ("INIT_REPORT Init Duration: 10009.13 ms Phase: init Status: timeout", "INIT_REPORT"),
        ("RESTORE_START Runtime Version: java:21.v3\tRuntime Version ARN: arn:", "RESTORE_START"),
        ("RESTORE_REPORT Restore Duration: 474.16 ms", "RESTORE_REPORT"),
        ("RESTORE_REPORT", "RESTORE_REPORT"),
        ("EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE,SHUTDOWN]", "EXTENSION"),
    ],
)
def test_each_kind_has_its_name(text: str, kind: str) -> None:
    assert only(text).kind == kind


def test_the_dash_of_a_pasted_line_does_not_hide_a_value() -> None:
    line = only("INIT_REPORT Init Duration: 9999.47 ms — Status: timeout")
    assert (line.init_ms, line.status, line.phase) == (9999.47, "timeout", None)


def test_a_shortened_or_anonymised_request_id_is_not_a_request_id() -> None:
    for token in ("123", "0e5c8424", "78b0785d-afd3-11e6-85a7abb1cd48ef", "my-request-id", ID + "0"):
        assert only(REPORT.replace(ID, token)).request_id is None
        assert only(f"END RequestId: {token}").request_id is None


@pytest.mark.parametrize(
    "stated", ["10,5 ms", "1,234.56 ms", "-3.00 ms", "nan ms", "1e999 ms", "12", "12 m", "2 s", "1_0 ms"]
)
def test_a_duration_of_a_strange_form_is_left_out_and_the_rest_is_kept(stated: str) -> None:
    line = only(f"REPORT RequestId: {ID}\tDuration: {stated}\tBilled Duration: 11 ms")
    assert (line.duration_ms, line.billed_ms, line.unread) == (None, 11, ("Duration",))


def test_a_longer_label_does_not_lend_its_value_to_the_label_inside_it() -> None:
    line = only(f"REPORT RequestId: {ID} Runtime Duration: 30.00 ms\tBilled Duration: 31 ms")
    assert (line.duration_ms, line.billed_ms) == (None, 31)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "Task timed out after 5 seconds, retrying",
        f"waiting for END RequestId: {ID}",
        f"the REPORT RequestId: {ID} is missing",
        f"looking up START RequestId: {ID}",
        "module INIT_REPORT done",
        f"invoking the worker failed: RequestId: {ID} Error: Task timed out after 3.00 seconds",
        f"[INFO]\t2024-01-01T00:00:00.000Z\t{ID}\t{REPORT}",
        f"2024-01-01T00:00:00.000Z\t{ID}\tINFO\t{REPORT}",
        f"[ERROR]\t2024-01-01T00:00:00.000Z\t{ID}\tTask timed out after 3.00 seconds",
    ],
)
def test_application_text_that_speaks_of_platform_lines_is_not_one(text: str) -> None:
    assert list(parse_message(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "REPORT RequestId: 12 could not be found",
        "REPORT RequestId:",
        f"END RequestId: {ID} was never seen",
        "INIT_START of the module failed",
        f"RequestId: {ID} Error: fork/exec /var/task/bootstrap: permission denied",
    ],
)
def test_a_marker_without_its_structure_is_rejected_and_shown(text: str) -> None:
    (found,) = parse_message(text)
    assert isinstance(found, Reject)
    assert found.text == text


def test_the_time_before_the_line_is_kept_as_stated() -> None:
    line = only(f"2023-07-05T10:16:34.686000 2023/07/05/[56]374cd779 {REPORT}")
    assert line.time == "2023-07-05T10:16:34.686000"
