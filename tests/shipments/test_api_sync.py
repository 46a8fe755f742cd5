"""Tools that keep a copy miss nothing: whatever changes while they page, and however slowly it is committed."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import sync
from shipments.deliveries.importer import import_shipments
from shipments.documents.store import store_document
from shipments.models import AgeingRule, Carrier, CarrierMessage, CodeMapping, Document, Shipment
from shipments.status.ageing import age_shipments

ADDRESS = "/api/v1/shipments/"
LONG_AGO = "2000-01-01T00:00:00Z"


def bring(*numbers: str, **more: str) -> None:
    names = ["carrier", "tracking_number", *more]
    rows = [",".join(["acme", number, *more.values()]) for number in numbers]
    import_shipments(io.BytesIO("\n".join([",".join(names), *rows]).encode()))


def settle() -> None:
    """As if some time had gone by since everything that happened."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shipments_shipment SET updated = updated - interval '1 minute'")


@pytest.fixture
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed can be seen at once, so that a test need not wait."""
    monkeypatch.setattr(sync, "MARGIN_S", 0)


@pytest.mark.django_db
def test_a_client_pages_to_the_end_and_polls_on(api_client: Any, viewer: User, no_margin: None) -> None:
    bring(*(f"A{place}" for place in range(5)))
    api = api_client(viewer)
    page = api.get(ADDRESS, {"updated_since": LONG_AGO, "page_size": 2, "fields": "tracking_number"}).json()
    seen = page["results"]
    while page["next"]:
        page = api.get(page["next"]).json()
        seen += page["results"]
    assert sorted(row["tracking_number"] for row in seen) == ["A0", "A1", "A2", "A3", "A4"]
    assert set(seen[0]) == {"tracking_number"}
    quiet = api.get(ADDRESS, {"updated_since": page["next_since"]}).json()
    assert (quiet["results"], quiet["next"]) == ([], None)
    bring("A3", customer="Olmo")
    after = api.get(ADDRESS, {"updated_since": quiet["next_since"]}).json()
    assert [row["tracking_number"] for row in after["results"]] == ["A3"]
    assert api.get(ADDRESS, {"updated_since": "2026-11-01T00:00:00+01:00", "carrier": "acme"}).json()["results"]
    for wrong in ({"updated_since": "yesterday"}, {"updated_since": "2026-11-01T00:00:00"},
                  {"updated_since": LONG_AGO, "sort": "created"}, {"updated_since": ""}):  # fmt: skip
        assert api.get(ADDRESS, wrong).status_code == 400
    assert "next_since" not in api.get(ADDRESS).json()


@pytest.mark.django_db
def test_documents_and_messages_are_followed_alike(api_client: Any, operator: User, no_margin: None) -> None:
    bring("A1")
    shipment, api = Shipment.objects.get(), api_client(operator)
    message = CarrierMessage.objects.create(carrier=shipment.carrier, shipment=shipment, text="Entregado")
    store_document(shipment=shipment, type="label", content=b"cut", name="label.pdf", source="uploaded")
    for name in ("documents", "messages"):
        first = api.get(f"/api/v1/{name}/", {"updated_since": LONG_AGO}).json()
        assert (len(first["results"]), first["next"]) == (1, None)
        again = api.get(f"/api/v1/{name}/", {"updated_since": first["next_since"]}).json()
        assert again["results"] == []
        if name == "messages":
            api.patch(f"/api/v1/messages/{message.pk}/", {"status": "delivered"}, format="json")
        else:
            Document.objects.update(type="other")  # in whatever way it is changed
        changed = api.get(f"/api/v1/{name}/", {"updated_since": again["next_since"]}).json()
        assert len(changed["results"]) == 1
        CarrierMessage.objects.update(text="Entregado")  # as it was
        Document.objects.update(type="other")
        assert not api.get(f"/api/v1/{name}/", {"updated_since": changed["next_since"]}).json()["results"]


@pytest.mark.django_db
def test_everything_that_changes_a_delivery_moves_it(api_client: Any, operator: User, no_margin: None) -> None:
    bring("A1", status="in_transit")
    shipment, api = Shipment.objects.get(), api_client(operator)
    own = f"{ADDRESS}{shipment.pk}/"
    carrier = Carrier.objects.get()
    CodeMapping.objects.create(carrier=carrier, code="X", status="delivered", valid_from="2020-01-01")

    def age() -> None:
        AgeingRule.objects.create(from_status="delivered", after_days=1, to_status="unknown")
        assert age_shipments(timezone.now() + timedelta(days=90)) == 1

    changes: dict[str, Any] = {
        "import": lambda: bring("A1", customer="Olmo"),
        "patch": lambda: api.patch(own, {"notes": "fragile"}, format="json"),
        "status": lambda: api.patch(own, {"status": "on_hold"}, format="json"),
        "event": lambda: api.post(f"{own}events/", {"at": "2026-01-01T00:00:00Z", "text": "early"}, format="json"),
        "mapped event": lambda: api.post(
            f"{own}events/", {"at": timezone.now().isoformat(), "code": "X"}, format="json"
        ),
        "silence": age,
        "by hand": lambda: Shipment.objects.update(reference="R"),  # nobody can forget it
    }  # fmt: skip
    for name, change in changes.items():
        before = Shipment.objects.get().updated
        change()
        assert Shipment.objects.get().updated > before, name
    before = Shipment.objects.get().updated
    bring("A1", customer="Olmo")
    Shipment.objects.update(reference="R")
    assert Shipment.objects.get().updated == before


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_commits_late_is_not_missed(api_client: Any, viewer: User, no_margin: None) -> None:
    bring("A1", "A2")
    api = api_client(viewer)
    slow = connections.create_connection("default")
    try:
        slow.set_autocommit(False)
        with slow.cursor() as cursor:
            cursor.execute("UPDATE shipments_shipment SET notes = 'late', updated = clock_timestamp() "
                           "WHERE tracking_number = 'A1'")  # fmt: skip
        bring("A2", customer="quick")
        page = api.get(ADDRESS, {"updated_since": LONG_AGO}).json()
        slow.commit()
        after = api.get(ADDRESS, {"updated_since": page["next_since"]}).json()["results"]
        assert {(row["tracking_number"], row["notes"], row["customer"]) for row in after} == {
            ("A1", "late", ""), ("A2", "", "quick"),
        }  # fmt: skip
    finally:
        slow.close()


@pytest.mark.django_db
def test_the_last_seconds_are_held_back(api_client: Any, viewer: User) -> None:
    bring("A1")
    api = api_client(viewer)
    page = api.get(ADDRESS, {"updated_since": LONG_AGO}).json()
    assert page["results"] == [] and page["next_since"]
    settle()
    with connection.cursor() as cursor:  # the trigger follows who states no moment; this one states one
        cursor.execute("SELECT count(*) FROM shipments_shipment WHERE updated < now() - interval '50 seconds'")
        assert cursor.fetchone() == (1,)
    assert len(api.get(ADDRESS, {"updated_since": LONG_AGO}).json()["results"]) == 1


NUMBERS = st.integers(0, 7)
DEEDS = st.one_of(
    st.tuples(st.just("change"), NUMBERS),
    st.tuples(st.just("begin"), NUMBERS),
    st.tuples(st.just("commit"), st.just(0)),
    st.tuples(st.just("page"), st.sampled_from([2, 9])),
)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEEDS, max_size=25))
def test_no_interleaving_of_changes_and_pages_loses_one(
    api_client: Any, viewer: User, no_margin: None, deeds: list[tuple[str, int]]
) -> None:
    """`begin` changes a row in a second connection, which commits later; in the end the copy equals the original."""
    Shipment.objects.all().delete()
    bring(*(f"A{place}" for place in range(8)))
    api, copy, since, written = api_client(viewer), dict[str, str](), LONG_AGO, 0
    slow, open_rows = connections.create_connection("default"), set[int]()
    slow.set_autocommit(False)

    def page(size: int) -> int:
        nonlocal since
        answer = api.get(ADDRESS, {"updated_since": since, "page_size": size}).json()
        copy.update({row["tracking_number"]: row["notes"] for row in answer["results"]})
        assert answer["next"] is None or len(answer["results"]) == size
        since = answer["next_since"]
        return len(answer["results"])

    def write(through: Any, place: int) -> None:
        with through.cursor() as cursor:
            cursor.execute("UPDATE shipments_shipment SET notes = %s, updated = clock_timestamp() "
                           "WHERE tracking_number = %s", [str(written), f"A{place}"])  # fmt: skip

    try:
        for deed, number in deeds:
            written += 1
            if deed == "page":
                page(number)
            elif deed == "commit":
                slow.commit()
                open_rows.clear()
            elif deed == "begin":
                write(slow, number)
                open_rows.add(number)
            elif number not in open_rows:  # else it would wait for the other connection
                write(connection, number)
        slow.commit()
        rounds = 0
        while page(3):
            rounds += 1
            assert rounds <= 10, "it never comes to an end"
    finally:
        slow.close()
    assert copy == dict(Shipment.objects.values_list("tracking_number", "notes"))
