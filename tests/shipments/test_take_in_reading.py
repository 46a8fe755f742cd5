"""Files as people have them: every row comes in as it was meant, or out again with its reason."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shipments.deliveries import reading, unpacking
from shipments.deliveries.importer import ErrorFile, ImportResult, Refused, UnreadableFileError, import_shipments
from shipments.deliveries.mapping import header_digest
from shipments.deliveries.reading import open_source
from shipments.models import Shipment

pytestmark = pytest.mark.django_db
QUIET = [HealthCheck.function_scoped_fixture]


def take(data: bytes, **more: Any) -> tuple[ImportResult, list[Refused]]:
    refused: list[Refused] = []
    return import_shipments(io.BytesIO(data), on_refused=refused.append, **more), refused


def error_file(refused: list[Refused]) -> bytes:
    buffer = io.BytesIO()
    text = io.TextIOWrapper(buffer, "utf-8", errors="surrogateescape", newline="")
    target = ErrorFile(text)
    for row in refused:
        target.add(row)
    text.flush()
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_encoding_and_delimiter_is_told_from_the_file(encoding: str, delimiter: str) -> None:
    rows = [["carrier", "tracking_number", "customer", "Größe"], ["acme", "A1", "Muñoz é Hijos", "x"]]
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    take(text.encode(encoding))
    assert Shipment.objects.get().customer == "Muñoz é Hijos"


def test_a_packed_file_that_breaks_off_keeps_what_came_before() -> None:
    rows = "".join(f"acme,A{number},{number * 7919 % 100_003}\n" for number in range(20_000))
    packed = gzip.compress(f"carrier,tracking_number,notes\n{rows}".encode())
    result, _refused = take(packed[: len(packed) // 2])
    assert 0 < result.created < 20_000
    assert "send the whole file again" in result.broken


@pytest.mark.slow
def test_a_file_that_unpacks_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "FREE_BYTES", 100_000)
    bomb = gzip.compress(b"carrier,tracking_number\n" + b"\n" * 50_000_000)
    with pytest.raises(UnreadableFileError, match="far more than"):
        take(bomb)


def test_a_line_without_end_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 10_000)
    body = b"carrier,tracking_number,notes\nacme,A1," + b"x" * 35_000 + b"\nacme,A2,fine\n"
    result, refused = take(body)
    assert (result.created, [row.problems[0].code for row in refused]) == (1, ["too_long"])


def test_nul_bytes_and_huge_cells_are_refused_with_their_field() -> None:
    body = b"carrier,tracking_number,customer\nacme,A1,a\0b\nacme,A2," + b"x" * 300_000 + b"\nacme,A3,ok\n"
    result, refused = take(body)
    assert result.created == 1
    assert [(row.line, row.problems[0].code) for row in refused] == [(2, "unreadable"), (3, "not_csv")]


def test_two_columns_of_one_meaning_are_refused_as_a_whole() -> None:
    with pytest.raises(UnreadableFileError, match="tracking_number more than once"):
        take(b"carrier,tracking,AWB\nacme,A1,A2\n")


def test_columns_of_the_same_name_stay_apart() -> None:
    source = open_source(io.BytesIO(b"carrier,tracking_number,x,x,\na,b,1,2,3\n"))
    assert source.header == ["carrier", "tracking_number", "x", "x (column 4)", "column 5"]
    assert next(source.rows).values["x (column 4)"] == "2"


def test_a_file_without_a_header_says_so() -> None:
    assert "header missing" in open_source(io.BytesIO(b"acme;1Z999;12.5\nacme;1Z998;3\n")).notes[0]


def test_nested_parts_of_a_party_never_land_in_another_field() -> None:
    row = {"carrier": "acme", "tracking": "A1", "recipient": {"city": "Lyon", "status": "delivered"}}
    take(json.dumps(row).encode())
    assert Shipment.objects.values_list("status", "recipient").get() == ("pending", {"city": "Lyon"})


def test_refused_rows_can_be_mended_in_their_file_and_sent_again() -> None:
    body = "Transportista;Tracking;Peso;Notes\nacme;A1;heavy;=1+1\nacme;A2;1,5;ok\nacme;A3;2;3;4\nacme;;1;x\n"
    _result, refused = take(body.encode())
    rows = list(csv.reader(io.StringIO(error_file(refused).decode())))
    assert rows[0] == ["import_line", "import_reason", "Transportista", "Tracking", "Peso", "Notes"]
    assert [row[0] for row in rows[1:]] == ["2", "4", "5"]
    rows[1][4], rows[2][4:], rows[3][3] = "2,5", ["2", "3 4"], "A4"
    mended = io.StringIO()
    csv.writer(mended).writerows(rows)
    result, again = take(mended.getvalue().encode())
    assert (result.created, again) == (3, [])
    assert Shipment.objects.get(tracking_number="A1").notes == "=1+1"
    assert header_digest(rows[0]) == header_digest(rows[0][2:])


def test_refused_rows_of_ndjson_come_back_as_ndjson() -> None:
    body = b'{"carrier": "acme", "tracking_number": "A1", "status": "flying", "parcels": [{"weight_kg": 1}]}\n{oops\n'
    _result, refused = take(body)
    first, second = [json.loads(line) for line in error_file(refused).splitlines()]
    assert (second["import_line"], second["import_text"]) == (2, "{oops")
    first["status"] = "shipped"
    result, again = take(json.dumps(first).encode())
    assert (result.created, again) == (1, [])


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30), min_size=1, max_size=8))
@example(["=a", "'=a", "-5", "'-5", "''+x"])
def test_refused_cells_survive_the_way_out_and_in_again(cells: list[str]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["carrier", "tracking_number", "status", *map(str, range(len(cells)))],
                                ["acme", "A1", "flying", *cells]])  # fmt: skip
    refused = take(text.getvalue().encode())[1]
    again = take(error_file(refused))[1]
    assert [again[0].values[str(place)] for place in range(len(cells))] == cells


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("ABC123"), min_size=1, max_size=6),
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
        ),
        min_size=1,
        max_size=10,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_any_csv_that_python_writes_is_read_as_it_was_meant(rows: list[tuple[str, str]], delimiter: str) -> None:
    Shipment.objects.all().delete()
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["carrier", "tracking_number", "notes"])
    writer.writerows(["acme", *row] for row in rows)
    result, refused = take(text.getvalue().encode())
    assert (result.rows, refused) == (len(rows), [])
    wanted: dict[str, str] = {}
    for number, notes in rows:
        wanted[number] = notes.strip() or wanted.get(number, "")
    assert dict(Shipment.objects.values_list("tracking_number", "notes")) == wanted


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(st.binary(max_size=400), st.sampled_from([b"", b"carrier,tracking_number\n", b'{"carrier": ', b"\x1f\x8b\x08"]))
def test_garbage_has_a_reason_and_never_breaks(garbage: bytes, start: bytes) -> None:
    try:
        result, refused = take(start + garbage)
    except UnreadableFileError as error:
        assert str(error)
        return
    assert result.rows == result.created + result.updated + result.unchanged + result.refused
    assert all(row.reason for row in refused)
    error_file(refused)
