"""A line may be cut off anywhere. What is left of it must never state a value that the whole line does not."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from services_registry.telemetry.parser import PlatformLine, parse_message
from services_registry.telemetry.parser.text import parse_text
from services_registry.telemetry.parser.words import ERROR_TYPES

VALUES = [field.name for field in fields(PlatformLine) if field.name not in ("kind", "unread")]

decimals = st.integers(0, 90_000_000).map(lambda hundredths: f"{hundredths / 100:.2f}")
whole = st.integers(0, 900_000).map(str)
separator = st.sampled_from(["\t", " \t", "  ", " ", "\\t"])


@st.composite
def report(draw: st.DrawFn, clean: bool = False) -> str:
    parts = [
        f"REPORT RequestId: {draw(st.uuids())}",
        f"Duration: {draw(decimals)} ms",
        f"Billed Duration: {draw(whole)} ms",
        f"Memory Size: {draw(st.integers(128, 10240))} MB",
        f"Max Memory Used: {draw(st.integers(1, 10240))} MB",
    ]
    if draw(st.booleans()):
        parts.append(f"Init Duration: {draw(decimals)} ms")
    elif draw(st.booleans()) and not clean:
        parts += [f"Restore Duration: {draw(decimals)} ms", f"Billed Restore Duration: {draw(whole)} ms"]
    if draw(st.booleans()):
        parts.append(f"Status: {draw(st.sampled_from(['timeout', 'error']))}")
        if draw(st.booleans()):
            parts.append(f"Error Type: {draw(st.sampled_from(sorted(ERROR_TYPES)))}")
    text = ("\t" if clean else draw(separator)).join(parts)
    tail = [
        "",
        "\t",
        "\t\n",
        "\t\nXRAY TraceId: 1-5d83c0ad-b8eb33a0b1de97d804fac890\tSegmentId: 31255c\tSampled: true\n",
    ]
    return text + draw(st.sampled_from(tail))


def stated(text: str) -> dict[str, object]:
    found = [line for line in parse_message(text) if isinstance(line, PlatformLine)]
    return {name: getattr(line, name) for line in found for name in VALUES if getattr(line, name) is not None}


@given(report())
def test_no_beginning_of_a_report_states_a_value_the_whole_does_not(text: str) -> None:
    whole_line = stated(text)
    assert {"request_id", "duration_ms", "billed_ms", "memory_mb", "max_memory_mb"} <= whole_line.keys()
    for length in range(len(text)):
        assert stated(text[:length]).items() <= whole_line.items(), text[:length]


@given(report(clean=True), st.sampled_from(["", " | note |", "\n", '"', "\r\n", " Duration: 1.00 ms", "\tStatus: ti"]))
def test_the_fast_and_the_careful_way_agree(text: str, extra: str) -> None:
    for candidate in (text, text + extra, text.strip() + extra):
        assert list(parse_message(candidate)) == list(parse_text(candidate))


@given(report(clean=True), st.data())
def test_they_agree_on_damaged_lines_too(text: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(text) - 1))
    with_damage = (
        text[:position]
        + data.draw(st.sampled_from(["", " ", "\t", "x", "9", ",", ":", "٣", "\n"]))
        + text[position + 1 :]
    )
    assert list(parse_message(with_damage)) == list(parse_text(with_damage))


@given(
    st.uuids(),
    st.sampled_from(["START", "END"]),
    st.sampled_from(["", " Version: $LATEST", " Version: 17", " Version: ", " Version: $LAT", " was seen"]),
    st.sampled_from(["", "\n", "\t", " Version: 1", '"', "\r\n"]),
)
def test_they_agree_on_start_and_end(request_id: object, word: str, version: str, extra: str) -> None:
    text = f"{word} RequestId: {request_id}{version}{extra}"
    assert list(parse_message(text)) == list(parse_text(text))


@given(st.text(alphabet=st.sampled_from('REPORT questId: \t\n{}[]"\\.0123 msMBDuration|'), max_size=200))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    list(parse_message(text))
    list(parse_message(f"REPORT RequestId: {text}"))
    list(parse_message('{"type":"platform.report",' + text))
