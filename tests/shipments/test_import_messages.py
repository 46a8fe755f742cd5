"""`manage.py import_messages`: each message once, refused rows counted and named, none lost."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipments.messages.importer import import_messages
from shipments.models import Carrier, CarrierMessage, Shipment

pytestmark = pytest.mark.django_db
HEADER = "carrier,carrier_code,message,tracking_number,received\n"


def take(tmp_path: Path, text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(counts, refused rows) as the command prints them."""
    file = tmp_path / "messages.csv"
    file.write_text(text, encoding="utf-8", newline="")
    said, complained = io.StringIO(), io.StringIO()
    call_command("import_messages", str(file), stdout=said, stderr=complained)
    return json.loads(said.getvalue()), [json.loads(line) for line in complained.getvalue().splitlines()]


def test_the_same_file_twice_adds_nothing_new(tmp_path: Path) -> None:
    text = HEADER + "acme,D1,Delivered,A1,2026-11-01T10:00:00Z\nacme,D1,Delivered,A2,\nVeloce,,Consegnato,,\n"
    assert take(tmp_path, text)[0] == {"rows": 3, "created": 3, "known": 0, "refused": 0}
    before = list(CarrierMessage.objects.order_by("pk").values())
    assert take(tmp_path, text)[0] == {"rows": 3, "created": 0, "known": 3, "refused": 0}
    assert list(CarrierMessage.objects.order_by("pk").values()) == before
    assert take(tmp_path, text + "acme,,One more,,\n")[0] == {"rows": 4, "created": 1, "known": 3, "refused": 0}


def test_a_row_that_a_file_holds_twice_is_two_messages(tmp_path: Path) -> None:
    text = HEADER + "acme,,Attempted,A1,\n" * 2
    assert take(tmp_path, text)[0]["created"] == 2
    assert take(tmp_path, text)[0] == {"rows": 2, "created": 0, "known": 2, "refused": 0}


def test_refused_rows_are_counted_and_named_by_line(tmp_path: Path) -> None:
    rows = [
        "acme,D1,Delivered,,",
        ",D1,no carrier,,",
        "acme,,,,",
        f"acme,{'x' * 81},too long,,",
        "acme,,when,,yesterday",
        "acme,,when,,2026-13-45T00:00:00Z",
        "acme,,beyond the calendar,,9999-12-31T23:59:59-12:00",
        "acme,,fine,,",
    ]
    counts, refused = take(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert counts == {"rows": 8, "created": 2, "known": 0, "refused": 6}
    assert [row["line"] for row in refused] == [3, 4, 5, 6, 7, 8]
    assert all(row["reason"] for row in refused)


def test_a_time_without_a_zone_is_utc(tmp_path: Path) -> None:
    take(tmp_path, HEADER + "acme,,one,,2026-11-01T10:00:00\nacme,,two,,2026-11-01T12:00:00+02:00\n")
    assert {message.received for message in CarrierMessage.objects.all()} == {datetime(2026, 11, 1, 10, tzinfo=UTC)}


def test_a_message_finds_its_delivery(tmp_path: Path) -> None:
    carrier = Carrier.objects.create(code="acme", name="Acme")
    shipment = Shipment.objects.create(carrier=carrier, tracking_number="A1")
    take(tmp_path, HEADER + "acme,,Delivered,A1,\nacme,,Delivered,A9,\nother,,Delivered,A1,\n")
    assert list(CarrierMessage.objects.order_by("pk").values_list("shipment", flat=True)) == [shipment.pk, None, None]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "carrier,text\nacme,x\n"])
def test_a_file_without_the_needed_columns_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CommandError, match="must name the columns carrier, carrier_code and message"):
        take(tmp_path, text)
    assert not CarrierMessage.objects.exists()


cells = st.text(max_size=100) | st.sampled_from(
    ["acme", "2026-11-01T10:00:00Z", "2026-11-01", " ", "9999-12-31T23:59-12:00", "\x00", '"']
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells, cells, cells, cells), max_size=8))
def test_rows_are_created_known_or_refused_whatever_they_hold(rows: list[tuple[str, ...]]) -> None:
    text = HEADER + "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    refused: list[int] = []
    counts = import_messages(io.StringIO(text, newline=""), on_refused=lambda line, reason: refused.append(line))
    assert counts.rows == counts.created + counts.known + counts.refused == len(rows)
    assert counts.refused == len(refused)
    again = import_messages(io.StringIO(text, newline=""))
    assert (again.created, again.known) == (0, counts.created + counts.known)
