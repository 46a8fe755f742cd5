"""From a carrier's folder to the delivery: listed twice, fetched once, stored, matched, and only then cleaned up there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from shipments.choices import RemoteState
from shipments.connections import control, fetching
from shipments.documents import changes
from shipments.models import CarrierConnection, Document, RemoteFile, Shipment
from tests.connections.conftest import fetch, pdf, sweep, sweep_and_fetch, work
from tests.functions.carrier_servers import Server

ShipmentOf = Callable[[str], Shipment]


def states() -> dict[str, str]:
    return dict(RemoteFile.objects.values_list("name", "state"))


@pytest.mark.slow
def test_a_file_comes_to_its_delivery(connection: CarrierConnection, root: Path, shipment_of: ShipmentOf) -> None:
    delivery = shipment_of("SP1")
    (root / "pod" / "SP1_signed.pdf").write_bytes(pdf("one"))
    (root / "pod" / "notes.txt").write_bytes(b"nothing for us")
    assert sweep(connection)["new"] == 1, "what the pattern does not take is left alone"
    assert states() == {"SP1_signed.pdf": "seen"}, "one listing cannot tell whether it is whole"
    assert fetching.fetch_waiting(connection) is None
    assert sweep(connection)["waiting"] == 1
    fetch(connection)
    row = RemoteFile.objects.get()
    assert (row.state, row.shipment, row.tries, row.number) == ("matched", delivery, 1, "SP1")
    assert row.document is not None and row.document.shipment == delivery and row.document.state == "stored"
    assert row.document.remote_path == "/pod/SP1_signed.pdf"
    assert [state for _at, state, _words in row.history] == ["seen", "stable", "matched"]
    assert (root / "pod" / "SP1_signed.pdf").exists(), "nothing is deleted unless the connection says so"
    sweep(connection)
    assert fetching.fetch_waiting(connection) is None, "once is enough"
    connection.refresh_from_db()
    assert connection.last_contact and not connection.last_error and connection.next_sweep


@pytest.mark.slow
def test_a_growing_file_is_waited_for(connection: CarrierConnection, root: Path, shipment_of: ShipmentOf) -> None:
    shipment_of("SP1")
    for size in (10, 20, 30):
        (root / "pod" / "SP1.pdf").write_bytes(pdf("grows", filler=size))
        assert sweep(connection)["growing"] == 1
    assert states() == {"SP1.pdf": "seen"}
    assert sweep(connection)["waiting"] == 1


@pytest.mark.slow
def test_a_file_that_grows_after_the_second_look_goes_back(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf
) -> None:
    shipment_of("SP1")
    (root / "pod" / "SP1.pdf").write_bytes(pdf("grows"))
    sweep(connection)
    sweep(connection)
    (root / "pod" / "SP1.pdf").write_bytes(pdf("grows", filler=500))
    fetch(connection)
    row = RemoteFile.objects.get()
    assert row.state == "seen" and "changed while it was fetched" in row.last_error
    assert not Document.objects.exists()
    sweep_and_fetch(connection)
    assert states() == {"SP1.pdf": "matched"}
    assert Document.objects.get().bytes == len(pdf("grows", filler=500))


@pytest.mark.slow
def test_what_has_no_delivery_is_kept_and_matched_when_it_comes(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf
) -> None:
    (root / "pod" / "SP9_pod.pdf").write_bytes(pdf("nine"))
    sweep_and_fetch(connection)
    row = RemoteFile.objects.get()
    assert row.state == "unmatched" and "No delivery" in row.last_error
    document = Document.objects.get()
    assert document.shipment is None and document.carrier == connection.carrier
    delivery = shipment_of("SP9")
    assert fetching.match_again(connection) == 1
    document.refresh_from_db()
    assert document.shipment == delivery and states() == {"SP9_pod.pdf": "matched"}


@pytest.mark.slow
def test_may_leave_unknown_numbers_on_the_server(connection: CarrierConnection, root: Path) -> None:
    CarrierConnection.objects.update(fetch_unknown=False)
    (root / "pod" / "SP9.pdf").write_bytes(pdf("nine"))
    sweep_and_fetch(connection)
    assert states() == {"SP9.pdf": "stable"} and not Document.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize(("after", "left"), [("delete", []), ("move", ["SP1.pdf"])])
def test_cleans_up_only_what_is_kept(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf, after: str, left: list[str]
) -> None:
    CarrierConnection.objects.update(after_fetch=after, move_to="/done")
    connection.refresh_from_db()
    shipment_of("SP1")
    (root / "pod" / "SP1.pdf").write_bytes(pdf("one"))
    (root / "pod" / "SP2.pdf").write_bytes(b"<html>Session expired</html>")
    sweep_and_fetch(connection)
    assert states() == {"SP1.pdf": "matched", "SP2.pdf": "quarantined"}
    assert sorted(path.name for path in (root / "done").iterdir()) == left
    assert [path.name for path in (root / "pod").iterdir()] == ["SP2.pdf"], "a bad file stays as evidence"
    row = RemoteFile.objects.get(name="SP1.pdf")
    assert row.cleaned and not row.on_server
    assert "web page" in RemoteFile.objects.get(name="SP2.pdf").last_error


@pytest.mark.slow
def test_nothing_is_deleted_whose_bytes_are_not_in_the_store(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf
) -> None:
    shipment_of("SP1")
    (root / "pod" / "SP1.pdf").write_bytes(pdf("one"))
    sweep_and_fetch(connection)
    CarrierConnection.objects.update(after_fetch="delete")
    document = Document.objects.get()
    document.file.storage.delete(str(document.file.name))
    fetch(connection)
    assert (root / "pod" / "SP1.pdf").exists()
    row = RemoteFile.objects.get()
    assert row.cleaned is None and row.clean_error


@pytest.mark.slow
def test_a_file_that_changed_after_it_was_fetched_is_not_deleted(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf
) -> None:
    shipment_of("SP1")
    (root / "pod" / "SP1.pdf").write_bytes(pdf("one"))
    sweep_and_fetch(connection)
    CarrierConnection.objects.update(after_fetch="delete")
    (root / "pod" / "SP1.pdf").write_bytes(pdf("a second edition"))
    fetch(connection)
    assert (root / "pod" / "SP1.pdf").exists()
    sweep_and_fetch(connection)
    assert not (root / "pod" / "SP1.pdf").exists()
    assert Document.objects.count() == 2, "both editions are kept"


@pytest.mark.slow
def test_the_same_bytes_twice_are_kept_once(connection: CarrierConnection, root: Path, shipment_of: ShipmentOf) -> None:
    shipment_of("SP1")
    for name in ("SP1.pdf", "SP1_copy.pdf"):
        (root / "pod" / name).write_bytes(pdf("one"))
    sweep_and_fetch(connection)
    assert sorted(states().values()) == ["duplicate", "matched"]
    assert Document.objects.count() == 1


@pytest.mark.slow
def test_what_vanishes_is_gone_and_comes_back(connection: CarrierConnection, root: Path) -> None:
    (root / "pod" / "SP1.pdf").write_bytes(pdf("one"))
    sweep(connection)
    (root / "pod" / "SP1.pdf").rename(root / "SP1.pdf")
    assert sweep(connection)["gone"] == 1
    assert states() == {"SP1.pdf": "gone"}
    (root / "SP1.pdf").rename(root / "pod" / "SP1.pdf")
    sweep_and_fetch(connection)
    assert RemoteState.UNMATCHED in states().values()


@pytest.mark.slow
def test_people_retry_and_release(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf, admin_user: object
) -> None:
    shipment_of("SP1")
    (root / "pod" / "SP1.pdf").write_bytes(pdf("one"))
    sweep(connection)
    row = RemoteFile.objects.get()
    assert control.retry_files(connection, [row.pk], actor=admin_user) == 0, "it is not even tried yet"
    assert control.release_files(connection, [row.pk], actor=admin_user) == 1
    fetch(connection)
    assert states() == {"SP1.pdf": "matched"}


@pytest.mark.slow
def test_wildcards_in_the_directory_and_the_number_as_folder(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf, server: Server
) -> None:
    delivery = shipment_of("SP7")
    CarrierConnection.objects.update(directory="/pod/*/{tracking_number}", pattern="signed*.pdf")
    connection.refresh_from_db()
    for folder in ("2026-11/SP7", "2026-12/SP8"):
        (root / "pod" / folder).mkdir(parents=True)
        (root / "pod" / folder / "signed_1.pdf").write_bytes(pdf(folder))
    sweep_and_fetch(connection)
    by_number = {row.number: row for row in RemoteFile.objects.all()}
    assert by_number["SP7"].shipment == delivery and by_number["SP8"].state == "unmatched"
    assert server.logins <= 3, "one session for each step"
    work()


@pytest.mark.slow
def test_what_people_decide_about_documents_is_not_undone(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf, operator: User
) -> None:
    (root / "pod" / "SP1.pdf").write_bytes(pdf("one"))
    (root / "pod" / "SP2.pdf").write_bytes(b"<html>Session expired</html>")
    sweep_and_fetch(connection)
    changes.belongs_to_none(Document.objects.get(name="SP1.pdf"), actor=operator)
    changes.release(Document.objects.get(name="SP2.pdf"), actor=operator, reason="the carrier says so")
    shipment_of("SP1")
    second = shipment_of("SP2")
    assert fetching.match_again(connection) == 1
    assert states() == {"SP1.pdf": "unmatched", "SP2.pdf": "matched"}
    assert RemoteFile.objects.get(name="SP2.pdf").shipment == second
