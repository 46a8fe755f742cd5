"""Carriers that fail: left alone in time, tried again by one contact, closed by hand; sessions are shared by all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.audit import target_of
from core.errors import RefusedError
from core.models import AuditEntry, Notification
from services_registry.batches import start_batch
from services_registry.capabilities import ItemFailed, NotNow
from services_registry.choices import ItemState
from services_registry.models import Batch, BatchItem
from shipments.choices import Health
from shipments.connections import control, health, sweeps
from shipments.connections.fetching import fetch_waiting
from shipments.connections.next_try import next_try_of
from shipments.models import Carrier, CarrierConnection, CarrierSession, Document, RemoteFile, Shipment
from tests.connections.conftest import fetch, pdf, sweep, work
from tests.functions.carrier_servers import Server

ShipmentOf = Callable[[str], Shipment]


@pytest.fixture
def bare(carrier: Carrier) -> CarrierConnection:
    """A connection to nowhere: nobody is asked in these tests."""
    return CarrierConnection.objects.create(
        carrier=carrier, protocol="ftp", host="nowhere.invalid", port=21, username="us", breaker_after=3
    )


def fresh(connection: CarrierConnection) -> CarrierConnection:
    return CarrierConnection.objects.get(pk=connection.pk)


def test_opens_after_so_many_failures_in_a_row_and_closes_by_a_success(
    bare: CarrierConnection, operator: User, viewer: User
) -> None:
    for count in (1, 2):
        health.note_failure(bare.pk, "TimedOut", "the server did not answer within 15 s")
        assert (fresh(bare).failures, health.health_of(fresh(bare))) == (count, Health.TROUBLED)
    health.note_success(bare.pk)
    assert (fresh(bare).failures, fresh(bare).last_error) == (0, ""), "only failures in a row count"
    for _ in range(3):
        health.note_failure(bare.pk, "TimedOut", "the server did not answer within 15 s")
    row = fresh(bare)
    assert health.health_of(row) == Health.OPEN and row.next_probe and row.next_probe > timezone.now()
    assert row.last_error == "The server did not answer in time. (the server did not answer within 15 s)"
    with pytest.raises(ItemFailed, match="3 contacts in a row failed"):
        health.admit(bare.pk, uuid4())
    with pytest.raises(RefusedError, match="left alone"):
        sweeps.sweep(bare)
    assert AuditEntry.objects.filter(verb="connection.opened", target=target_of(bare)).count() == 1
    told = Notification.objects.get()
    assert (told.user, told.url) == (operator, f"/connections/{bare.pk}/")
    health.note_success(bare.pk)
    assert not Notification.objects.exists(), "what is over bothers nobody who has not read it"


def test_one_contact_probes_and_a_failed_probe_doubles_the_pause(bare: CarrierConnection) -> None:
    for _ in range(3):
        health.note_failure(bare.pk, "ConnectionRefused", "refused")
    first = fresh(bare).next_probe
    CarrierConnection.objects.update(next_probe=timezone.now() - timedelta(seconds=1))
    prober = uuid4()
    health.admit(bare.pk, prober)
    with pytest.raises(ItemFailed):
        health.admit(bare.pk, uuid4())
    health.note_failure(bare.pk, "ConnectionRefused", "refused")
    row = fresh(bare)
    assert first and row.next_probe and row.next_probe - timezone.now() > timedelta(minutes=9), "5 min, then 10"
    CarrierConnection.objects.update(next_probe=timezone.now() - timedelta(seconds=1))
    CarrierSession.objects.all().delete()
    health.admit(bare.pk, uuid4())
    health.note_success(bare.pk)
    assert health.health_of(fresh(bare)) == Health.OK and fresh(bare).next_probe is None


def test_a_refused_login_is_not_tried_until_the_account_is_locked(bare: CarrierConnection, operator: User) -> None:
    health.note_failure(bare.pk, "AuthenticationFailed", "ftp server x:21 does not accept this user")
    row = fresh(bare)
    assert row.open_since and row.last_error.startswith("The carrier refused the login.")
    control.close_breaker(row, actor=operator)
    assert health.health_of(fresh(bare)) == Health.TROUBLED
    health.admit(bare.pk, uuid4())
    assert AuditEntry.objects.filter(verb="connection.closed", actor=operator).exists()


def test_the_session_limit_is_shared_and_comes_free_by_itself(bare: CarrierConnection) -> None:
    first, second = uuid4(), uuid4()
    health.admit(bare.pk, first)
    health.admit(bare.pk, second)
    health.admit(bare.pk, second)  # asking twice is one session
    with pytest.raises(NotNow, match="2 sessions at once"):
        health.admit(bare.pk, uuid4())
    with pytest.raises(NotNow), health.session_for_test(bare.pk):
        pass
    CarrierSession.objects.filter(holder=first).update(until=timezone.now())
    with health.session_for_test(bare.pk):
        assert CarrierSession.objects.count() == 2
    health.admit(bare.pk, uuid4())


def test_pausing_needs_a_reason_and_stops_everything(bare: CarrierConnection, operator: User) -> None:
    with pytest.raises(RefusedError):
        control.pause(bare, actor=operator, reason="  ")
    control.pause(bare, actor=operator, reason="they move their server")
    with pytest.raises(ItemFailed, match="they move their server"):
        health.admit(bare.pk, uuid4())
    CarrierConnection.objects.update(sweep_minutes=10)
    assert sweeps.due_connections(timezone.now()) == [] and fetch_waiting(fresh(bare)) is None
    control.resume(bare, actor=operator)
    assert sweeps.due_connections(timezone.now()) == [bare.pk]


@pytest.mark.slow
def test_hundreds_of_deliveries_go_through_the_few_sessions(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf, server: Server, operator: User
) -> None:
    """Eight invocations want to run at once; the carrier allows one."""
    CarrierConnection.objects.update(max_sessions=1)
    deliveries = [shipment_of(f"SP{number:03d}") for number in range(40)]
    for delivery in deliveries[:-1]:
        (root / "pod" / f"{delivery.tracking_number}_pod.pdf").write_bytes(pdf(delivery.tracking_number))
    batch = start_batch(
        capability="fetch_documents", selection={"keys": [str(row.pk) for row in deliveries]}, actor=operator,
        source="page", chunk_size=5, concurrency=8,
    )  # fmt: skip
    work()
    batch.refresh_from_db()
    assert (batch.succeeded, batch.failed) == (39, 1)
    assert server.most_at_once == 1
    assert RemoteFile.objects.filter(state="matched").count() == Document.objects.count() == 39
    late = next_try_of([row.pk for row in deliveries])[deliveries[-1].pk]
    assert late.at and late.tries == 1 and late.error.startswith("It is not on the server.")
    sweep(connection)
    assert fetch_waiting(fresh(connection)) is None, "what was fetched for a delivery is not fetched again"


@pytest.mark.slow
def test_a_dead_carrier_is_noticed_told_and_left_alone(
    connection: CarrierConnection, shipment_of: ShipmentOf, operator: User
) -> None:
    CarrierConnection.objects.update(port=1, breaker_after=2)
    delivery = shipment_of("SP1")
    for _ in range(2):
        sweeps.sweep(connection)
        work()
    row = fresh(connection)
    assert row.open_since and row.failures == 2 and row.last_error.startswith("The server accepts no connections.")
    batch = start_batch(
        capability="fetch_documents", selection={"keys": [str(delivery.pk)]}, actor=operator, source="page"
    )
    work()
    item = BatchItem.objects.get(batch=batch)
    assert (item.state, item.error_type) == (ItemState.FAILED, "CarrierResting")
    assert "2 contacts in a row failed" in item.error_message
    told = next_try_of([delivery.pk])[delivery.pk]
    assert told.at == row.next_probe and "left alone" in told.error


@pytest.mark.slow
def test_a_changed_host_key_shows_both_fingerprints(connection: CarrierConnection, root: Path) -> None:
    from tests.functions.carrier_servers import sftp_server

    pinned = "SHA256:" + "A" * 43
    with sftp_server(root) as server:
        CarrierConnection.objects.update(protocol="sftp", port=server.port, host_key=pinned)
        sweeps.sweep(connection)
        work()
        row = fresh(connection)
        assert row.open_since and pinned in row.last_error and server.host_key in row.last_error


@pytest.mark.slow
def test_what_breaks_off_between_listing_and_fetching_comes_later(
    connection: CarrierConnection, root: Path, shipment_of: ShipmentOf, server: Server
) -> None:
    shipment_of("SP1")
    shipment_of("SP2")
    (root / "pod" / "SP1.pdf").write_bytes(pdf("one"))
    (root / "pod" / "SP2.pdf").write_bytes(pdf("two"))
    sweep(connection)
    sweep(connection)
    (root / "pod" / "SP1.pdf").rename(root / "pod" / "SP1_final.pdf")
    fetch(connection)
    states = dict(RemoteFile.objects.values_list("name", "state"))
    assert states == {"SP1.pdf": "gone", "SP2.pdf": "matched"}
    server.drops = 2
    sweep(connection)
    sweep(connection)
    fetch(connection)
    row = RemoteFile.objects.get(name="SP1_final.pdf")
    assert row.state == "stable" and row.tries == 1 and row.next_try and row.next_try > timezone.now()
    assert row.last_error.startswith("The server ended the connection.")
    RemoteFile.objects.update(next_try=timezone.now())
    fetch(connection)
    assert Document.objects.count() == 2 and RemoteFile.objects.get(name="SP1_final.pdf").state == "matched"
    assert Batch.objects.filter(capability="fetch_files").count() == 3
