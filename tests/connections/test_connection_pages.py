"""The pages about connections: who may see and do what, and building one against the real server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.models import AuditEntry
from shipments.models import Carrier, CarrierConnection, RemoteFile, Shipment
from tests.connections.conftest import pdf, sweep_and_fetch
from tests.functions.carrier_servers import PASSWORD, USER, sftp_server

ClientAs = Callable[[User], Client]
ShipmentOf = Callable[[str], Shipment]


@pytest.mark.slow
def test_a_new_user_adds_a_carrier_against_the_live_server(
    client_as: ClientAs, admin_user: User, carrier: Carrier, root: Path, shipment_of: ShipmentOf, fetch_function: None
) -> None:
    """Ten minutes: the form, the key, the login, the files, the pattern, saved."""
    client, delivery = client_as(admin_user), shipment_of("SP1")
    (root / "pod" / "POD_SP1_2026.pdf").write_bytes(pdf("one"))
    (root / "pod" / "POD_SP2_2026.pdf").write_bytes(pdf("two"))
    (root / "pod" / "readme.txt").write_bytes(b"hello")
    with sftp_server(root) as server:
        form = {
            "carrier": carrier.pk, "protocol": "sftp", "host": "127.0.0.1", "port": server.port, "username": USER,
            "password": "wrong", "directory": "/", "pattern": "{tracking_number}*.pdf", "active": "on", "zone": "UTC",
            "document_type": "proof_of_delivery", "after_fetch": "keep", "sweep_minutes": 15, "sweep_days": "01234",
            "max_sessions": 2, "breaker_after": 5, "timeout_s": 5, "passive": "on", "reuse_tls_session": "on",
            "fetch_unknown": "on",
        }  # fmt: skip
        added = client.post("/admin/shipments/carrierconnection/add/", form)
        connection = CarrierConnection.objects.get()
        home = f"/connections/{connection.pk}/try/"
        assert added.status_code == 302 and added["Location"] == home, added.content.decode()[:2000]

        page = client.post(f"{home}check/").content.decode()
        assert "The server shows the key" in page and server.host_key in page and "not reached" in page
        client.post(f"{home}pin/", {"fingerprint": server.host_key})
        page = client.post(f"{home}check/").content.decode()
        assert "does not accept this user" in page and "wrong" not in page
        client.post(f"/admin/shipments/carrierconnection/{connection.pk}/change/", form | {
            "password": PASSWORD, "host_key": server.host_key, "directory": "/pod",
        })  # fmt: skip
        page = client.post(f"{home}check/", headers={"HX-Request": "true"}).content.decode()
        assert "3 files in 1 folder(s), 2 fit the pattern" in page and "<html" not in page

        tried = {"directory": "/pod", "pattern": "POD_{tracking_number}_*.pdf"}
        page = client.post(f"{home}listing/", tried, headers={"HX-Request": "true"}).content.decode()
        assert "2 of those shown fit the pattern, 1 have a delivery" in page
        assert "<time" in page, "when a file changed, by the reader's clock"
        assert f"/deliveries/{delivery.pk}/" in page and "No delivery of this carrier" in page and "readme.txt" in page
        connection.refresh_from_db()
        assert connection.pattern == "{tracking_number}*.pdf", "trying saves nothing"
        assert client.post(f"{home}listing/", tried | {"save": "1"}).status_code == 302
        connection.refresh_from_db()
        assert connection.pattern == tried["pattern"]
        sweep_and_fetch(connection)
    assert dict(RemoteFile.objects.values_list("number", "state")) == {"SP1": "matched", "SP2": "unmatched"}
    shown = client.get(f"/connections/{connection.pk}/?state=unmatched").content.decode()
    assert "POD_SP2_2026.pdf" in shown and "POD_SP1_2026.pdf" not in shown
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"connection.tested", "connection.key_pinned", "connection.pattern_saved"} <= verbs
    for address in (
        f"/admin/shipments/carrierconnection/{connection.pk}/change/",
        home,
        f"/connections/{connection.pk}/",
    ):
        assert PASSWORD not in client.get(address).content.decode()


def test_a_pattern_that_cannot_work_is_refused_before_it_is_tried(
    client_as: ClientAs, admin_user: User, connection: CarrierConnection
) -> None:
    answer = client_as(admin_user).post(
        f"/connections/{connection.pk}/try/listing/", {"directory": "/pod", "pattern": "*.pdf", "save": "1"}
    )
    assert "has no {tracking_number}" in answer.content.decode()
    connection.refresh_from_db()
    assert connection.pattern == "{tracking_number}*.pdf"


@pytest.mark.slow
def test_pages_say_how_a_connection_stands(
    client_as: ClientAs, viewer: User, operator: User, connection: CarrierConnection, root: Path,
    query_budget: Callable[[int], AbstractContextManager[None]],
) -> None:  # fmt: skip
    for number in range(3):
        (root / "pod" / f"SP{number}.pdf").write_bytes(pdf(str(number)))
    sweep_and_fetch(connection)
    for number in range(5):  # never used yet
        other = Carrier.objects.create(code=f"other-{number}", name=f"Other {number}")
        CarrierConnection.objects.create(carrier=other, protocol="sftp", host="x", port=22, username="u")
    home = f"/connections/{connection.pk}/"
    watcher, worker = client_as(viewer), client_as(operator)
    with query_budget(10):
        assert "Swift Parcel" in watcher.get("/connections/").content.decode()
    with query_budget(20):
        page = watcher.get(home).content.decode()
    assert "SP1.pdf" in page and "Pause" not in page
    row = RemoteFile.objects.get(name="SP1.pdf")
    history = watcher.get(f"{home}files/{row.pk}/").content.decode()
    assert "Unchanged since the last listing" in history and "kept without delivery" in history
    for path in ("sweep/", "pause/", "close/", "files/", "try/check/", "try/listing/"):
        assert watcher.post(home + path).status_code == 403, path
    assert worker.post(f"{home}try/check/").status_code == 403, "trying is for administrators"
    worker.post(f"{home}pause/", {"reason": "they move"})
    assert "they move" in worker.get("/connections/").content.decode()
    refused = worker.post(f"{home}sweep/", follow=True).content.decode()
    assert "This connection is paused" in refused
    worker.post(f"{home}resume/")
    worker.post(f"{home}files/", {"files": [str(row.pk)], "retry": "1"})
    row.refresh_from_db()
    assert row.state == "stable" and row.next_try


def test_a_carrier_that_does_not_answer_shows_the_step(
    client_as: ClientAs, admin_user: User, connection: CarrierConnection
) -> None:
    CarrierConnection.objects.update(port=1)
    page = client_as(admin_user).post(f"/connections/{connection.pk}/try/check/").content.decode()
    assert "refuses connections" in page and "not reached" in page
    assert "Check host and port in the settings" in page, "and what to do about it"
    connection.refresh_from_db()
    assert connection.failures == 0, "a person's try counts for nothing"


def test_mended_settings_are_tried_next(client_as: ClientAs, admin_user: User, connection: CarrierConnection) -> None:
    client, address = client_as(admin_user), f"/admin/shipments/carrierconnection/{connection.pk}/change/"
    form = client.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    answer = client.post(address, values | {"port": "2121", "_save": "Save"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert answer["Location"] == f"/connections/{connection.pk}/try/"
    connection.refresh_from_db()
    assert connection.port == 2121


@pytest.mark.django_db
def test_without_connections_the_list_says_what_to_do(client_as: ClientAs, admin_user: User) -> None:
    page = client_as(admin_user).get("/connections/").content.decode()
    assert "No connection yet" in page and "/admin/shipments/carrierconnection/add/" in page
