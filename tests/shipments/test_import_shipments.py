"""Good rows are kept, bad rows are reported, none is lost, and a repetition changes nothing."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipments.deliveries.importer import Refused, import_shipments
from shipments.models import Shipment
from shipments.sample import sample_shipments_csv

pytestmark = pytest.mark.django_db


def take(text: str | bytes) -> tuple[dict[str, int], list[Refused]]:
    refused: list[Refused] = []
    data = text.encode() if isinstance(text, str) else text
    return import_shipments(io.BytesIO(data), on_refused=refused.append).counts(), refused


def test_second_import_of_the_same_file_leaves_updated_alone() -> None:
    text = sample_shipments_csv(30, 7)
    assert take(text)[0]["created"] == 30
    before = dict(Shipment.objects.values_list("pk", "updated"))
    assert take(text)[0] == {"rows": 30, "created": 0, "updated": 0, "unchanged": 30, "refused": 0, "duplicates": 0}
    assert dict(Shipment.objects.values_list("pk", "updated")) == before


def test_reports_every_problem_of_a_bad_row_and_keeps_the_good_ones() -> None:
    counts, refused = take("carrier;tracking;peso;country\nacme;A1;2,5;es\nacme;A2;heavy;Atlantis\nacme;A3;1\n")
    assert (counts["created"], counts["refused"]) == (1, 2)
    assert [entry.line for entry in refused] == [3, 4]
    assert refused[0].fields == "recipient_country, weight_kg"
    assert Shipment.objects.get().parcels[0]["weight_kg"] == "2.5"


def test_unclosed_quote_costs_only_its_own_line() -> None:
    counts, refused = take('carrier,tracking_number,notes\nacme,A1,"open\nacme,A2,fine\nacme,A3,"two\nlines"\n')
    assert (counts["created"], [entry.line for entry in refused]) == (2, [2])


def test_empty_cells_never_erase_what_is_known() -> None:
    take("carrier,tracking_number,customer,status\nacme,A1,Olmo,delivered\n")
    take("carrier,tracking_number,customer,status\nacme,A1,,\n")
    assert Shipment.objects.values_list("customer", "status").get() == ("Olmo", "delivered")


def test_later_row_wins_within_a_file() -> None:
    counts, _refused = take("carrier,tracking_number,customer\nacme,A1,first\nacme,A1,last\n")
    assert (counts["created"], counts["updated"], counts["duplicates"]) == (1, 1, 1)
    assert Shipment.objects.get().customer == "last"


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
rows_of_text = st.lists(
    st.lists(st.one_of(cells, st.sampled_from(["acme", "A1", '"'])), min_size=1, max_size=4), max_size=12
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_of_text)
def test_no_row_is_lost_whatever_the_file_holds(rows: list[list[str]]) -> None:
    body = "\n".join(",".join(row) for row in rows)
    counts, refused = take(f"carrier,tracking_number,customer\n{body}")
    assert counts["created"] + counts["updated"] + counts["unchanged"] + counts["refused"] == counts["rows"]
    assert len(refused) == counts["refused"]


def test_command_prints_counts_and_writes_refused_rows(tmp_path: Path, capsys: Any) -> None:
    source, errors = tmp_path / "in.ndjson", tmp_path / "bad.ndjson"
    source.write_text(
        '{"carrier": "acme", "tracking": "A1", "recipient": {"city": "Lyon", "country": "FR"}}\n{"carrier": 1\n'
    )
    call_command("import_shipments", str(source), errors=str(errors))
    shown = capsys.readouterr()
    assert json.loads(shown.out)["created"] == 1
    assert "line 2" in shown.err
    assert json.loads(errors.read_text())["import_line"] == 2
    assert Shipment.objects.get().destination_country == "FR"


def test_command_ends_with_2_when_nothing_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_shipments", str(tmp_path / "none.csv"))
    assert caught.value.returncode == 2
