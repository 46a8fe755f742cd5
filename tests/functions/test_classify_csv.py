"""manage.py classify FILE.csv"""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from shipments.functions.classify_messages.csv_io import DECIDED


def run(path: Path) -> list[dict[str, str]]:
    out = io.StringIO()
    call_command("classify", str(path), stdout=out, stderr=io.StringIO())
    return list(csv.DictReader(io.StringIO(out.getvalue())))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "messages.csv"


def test_keeps_rows_order_and_other_columns(file: Path) -> None:
    file.write_text(
        'note,message,carrier,carrier_code\n"a,b","Entregado\n""ok""",x,1\n,,,\nn,In transit,y,2\n', "utf-8"
    )
    rows = run(file)
    assert [row["status"] for row in rows] == ["delivered", "unknown", "in_transit"]
    assert rows[0]["note"] == "a,b"
    assert rows[0]["message"] == 'Entregado\n"ok"'
    assert list(rows[0]) == ["note", "message", "carrier", "carrier_code", *DECIDED]
    assert (rows[0]["applied"], rows[1]["applied"]) == ("yes", "no")


def test_reads_a_byte_order_mark(file: Path) -> None:
    file.write_bytes("carrier,carrier_code,message\nx,,Zugestellt\n".encode("utf-8-sig"))
    assert run(file)[0]["language"] == "de"


def test_keeps_columns_that_have_the_name_of_a_decided_one(file: Path) -> None:
    file.write_text("carrier,carrier_code,message,status,language\nx,,Delivered,old,xx\n", "utf-8")
    row = run(file)[0]
    assert (row["input_status"], row["input_language"]) == ("old", "xx")
    assert (row["status"], row["language"]) == ("delivered", "en")


def test_its_own_output_can_be_classified_again(file: Path) -> None:
    file.write_text("carrier,carrier_code,message\nx,,Delivered\n", "utf-8")
    out = io.StringIO()
    call_command("classify", str(file), stdout=out, stderr=io.StringIO())
    file.write_text(out.getvalue(), "utf-8")
    row = run(file)[0]
    assert row["status"] == row["input_status"] == "delivered"


def test_takes_a_cell_of_200_kilobytes(file: Path) -> None:
    file.write_text(f"carrier,carrier_code,message\nx,,{'Delivered ' * 20_000}\n", "utf-8")
    assert run(file)[0]["status"] == "delivered"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"carrier,message\nx,y\n", "Column carrier_code is missing"),
        (b"", "Column carrier, carrier_code, message is missing"),
        (b"carrier,carrier_code,message\nx,,\xff\xfe\n", "Save it as CSV UTF-8"),
        (b"carrier,carrier_code,message\nx,,a,b\n", "Put quotes around cells with commas"),
        (b'carrier,carrier_code,message\nx,,"open\n', "is not valid CSV"),
    ],
)
def test_refuses_with_a_sentence_that_helps(file: Path, content: bytes, says: str) -> None:
    file.write_bytes(content)
    with pytest.raises(CommandError, match=says):
        run(file)


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(CommandError, match=r"messages\.csv cannot be read"):
        run(file)
