"""Carriers' webhooks: signed, once, in any order, and nothing that came is lost."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipments.deliveries.importer import import_shipments
from shipments.events.parsing import parse
from shipments.events.signing import SIGNATURE_HEADER, TIME_HEADER, sign
from shipments.models import Carrier, CarrierHook, CodeMapping, HookDelivery, Shipment, TrackingEvent

pytestmark = pytest.mark.django_db
SECRET = "a secret of the carrier"
QUIET = [HealthCheck.function_scoped_fixture]


def make_hook() -> CarrierHook:
    import_shipments(io.BytesIO(b"carrier,tracking_number\nacme,A1\nacme,A2\n"))
    carrier = Carrier.objects.get(code="acme")
    for code, status in (("PU", "picked_up"), ("IT", "in_transit"), ("DLV", "delivered")):
        CodeMapping.objects.create(carrier=carrier, code=code, status=status, valid_from="2020-01-01")
    return CarrierHook.objects.create(carrier=carrier, secret=SECRET)


@pytest.fixture
def hook() -> CarrierHook:
    return make_hook()


def event(number: str = "A1", code: str = "PU", at: str = "2026-11-20T10:00:00+01:00", **more: Any) -> dict[str, Any]:
    return {"tracking_number": number, "code": code, "text": code.lower(), "at": at, **more}


def body_of(*events: Any) -> bytes:
    return json.dumps({"events": list(events)}).encode()


def post(body: bytes, *, stamp: str = "", signature: str = "", code: str = "acme") -> Any:
    stamp = stamp or str(int(time.time()))
    headers = {TIME_HEADER: stamp, SIGNATURE_HEADER: signature or sign(SECRET, stamp, body)}
    return Client().post(f"/api/v1/hooks/{code}/", body, content_type="application/json", headers=headers)


HISTORY = [
    event(code="PU", at="2026-11-20T10:00:00+01:00"), event(code="IT", at="2026-11-20T18:00:00+01:00", place="Lyon"),
    event(code="DLV", at="2026-11-21T09:30:00+01:00"), event("A2", code="IT", at="2026-11-21T09:30:00+01:00"),
    event("A2", code="??", at="2026-11-22T09:30:00Z"),
]  # fmt: skip


def test_events_are_stored_with_their_meaning_and_move_the_delivery(hook: CarrierHook) -> None:
    answer = post(body_of(*HISTORY))
    assert answer.status_code == 202, answer.content
    assert (answer.json()["new"], answer.json()["problems"]) == (5, [])
    assert Shipment.objects.values_list("status", "unmapped").get(tracking_number="A1") == ("delivered", False)
    assert Shipment.objects.values_list("status", "unmapped").get(tracking_number="A2") == ("in_transit", True)
    delivered = TrackingEvent.objects.get(code="DLV")
    assert (delivered.status, delivered.source, delivered.at.isoformat()) == (
        "delivered", "webhook", "2026-11-21T08:30:00+00:00"
    )  # fmt: skip
    kept = HookDelivery.objects.get()
    assert (kept.state, kept.events, kept.body.encode()) == ("taken", 5, body_of(*HISTORY))
    hook.refresh_from_db()
    assert hook.last_received is not None


def test_the_same_body_again_adds_nothing(hook: CarrierHook) -> None:
    post(body_of(*HISTORY))
    answer = post(body_of(*HISTORY), stamp=str(int(time.time()) - 100))
    assert (answer.status_code, answer.json()["again"], answer.json()["new"]) == (200, True, 0)
    assert TrackingEvent.objects.count() == 5
    assert HookDelivery.objects.get().times == 2


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(st.permutations(range(5)), st.lists(st.integers(0, 4), max_size=5), st.integers(1, 5))
def test_any_order_any_cut_and_any_repetition_end_the_same(order: Any, repeated: list[int], size: int) -> None:
    Shipment.objects.all().delete()
    Carrier.objects.all().delete()
    HookDelivery.objects.all().delete()
    CodeMapping.objects.all().delete()
    make_hook()
    sent = [HISTORY[place] for place in [*order, *repeated]]
    for start in range(0, len(sent), size):
        assert post(body_of(*sent[start : start + size])).status_code in (200, 202)
    assert set(TrackingEvent.objects.values_list("shipment__tracking_number", "code")) == {
        ("A1", "PU"), ("A1", "IT"), ("A1", "DLV"), ("A2", "IT"), ("A2", "??")
    }  # fmt: skip
    assert TrackingEvent.objects.count() == 5
    assert dict(Shipment.objects.values_list("tracking_number", "status")) == {"A1": "delivered", "A2": "in_transit"}


@pytest.mark.parametrize(
    ("stamp", "signature", "code"),
    [
        ("", "0" * 64, "signature_wrong"),
        ("", "ünsinn", "signature_wrong"),
        ("an hour ago", "", "signature_old"),
        ("99999999999999999999", "", "signature_old"),
        ("soon", "", "signature_old"),
    ],
)
def test_a_bad_signature_is_refused_and_nothing_is_kept(
    hook: CarrierHook, stamp: str, signature: str, code: str
) -> None:
    if stamp == "an hour ago":  # no time in the name of a test: every process must collect the same ones
        stamp = str(int(time.time()) - 3_600)
    answer = post(body_of(event()), stamp=stamp, signature=signature)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    assert HookDelivery.objects.count() == 0


def test_a_signature_is_for_its_body_and_its_moment(hook: CarrierHook) -> None:
    stamp = str(int(time.time()))
    good = sign(SECRET, stamp, body_of(event()))
    assert post(body_of(event("A2")), stamp=stamp, signature=good).status_code == 401
    assert post(body_of(event()), stamp=str(int(stamp) - 1), signature=good).status_code == 401
    assert post(body_of(event()), stamp=stamp, signature=f"sha256={good}").status_code == 202
    assert Client().post("/api/v1/hooks/acme/", b"{}", content_type="application/json").status_code == 401


def test_unknown_and_switched_off_carriers_are_not_found(hook: CarrierHook) -> None:
    assert post(b"{}", code="nobody").status_code == 404
    CarrierHook.objects.update(active=False)
    assert post(body_of(event())).status_code == 404


def test_more_than_a_megabyte_is_refused(hook: CarrierHook) -> None:
    answer = post(b" " * (2**20 + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_bad_events_have_a_reason_each_and_the_good_ones_count(hook: CarrierHook) -> None:
    answer = post(body_of(
        event(), event(at="2026-11-20T10:00:00"), event(at="yesterday"), 7, event(number=""),
        {"tracking_number": "A1", "at": "2026-11-20T10:00:00Z"}, event(code="x" * 41), event() | {"at": None},
    ))  # fmt: skip
    assert (answer.json()["new"], answer.json()["refused"]) == (1, 7)
    assert [problem["code"] for problem in answer.json()["problems"]] == [
        "no_zone", "bad_time", "not_object", "missing", "missing", "too_long", "bad_time"
    ]  # fmt: skip


def test_a_body_that_is_no_event_is_kept_and_refused(hook: CarrierHook) -> None:
    answer = post(b"\xff\x00 not json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_json")
    kept = HookDelivery.objects.get()
    assert (kept.state, "not JSON" in kept.problem) == ("refused", True)


def test_events_wait_for_their_delivery(hook: CarrierHook) -> None:
    answer = post(body_of(event(), event("NEW1", code="DLV")))
    assert (answer.json()["new"], answer.json()["waiting"]) == (1, 1)
    kept = HookDelivery.objects.get()
    assert (kept.state, "NEW1" in kept.problem) == ("received", True)
    assert not Shipment.objects.filter(tracking_number="NEW1").exists()
    import_shipments(io.BytesIO(b"carrier,tracking_number\nacme,NEW1\n"))
    call_command("take_waiting_events", stdout=io.StringIO())
    assert Shipment.objects.get(tracking_number="NEW1").status == "delivered"
    kept.refresh_from_db()
    assert (kept.state, kept.events, kept.problem) == ("taken", 2, "")


def test_a_webhook_on_which_we_fail_is_kept_and_taken_over_when_it_is_sent_again(
    hook: CarrierHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("shipments.events.storing.look_up", lambda *_args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            post(body_of(event()))
    assert HookDelivery.objects.get().state == "received"
    answer = post(body_of(event()))
    assert (answer.status_code, answer.json()["new"]) == (200, 1)


def test_another_carrier_of_the_same_number_is_left_alone(hook: CarrierHook) -> None:
    import_shipments(io.BytesIO(b"carrier,tracking_number\nother,A1\n"))
    post(body_of(event(code="DLV")))
    assert Shipment.objects.get(carrier__code="other").status == "pending"


def test_a_carrier_with_its_own_shape_goes_through_its_adapter(hook: CarrierHook) -> None:
    Carrier.objects.filter(code="acme").update(code="parcel-history-example")
    sample = (Path(__file__).parent / "payloads" / "parcel_history.json").read_bytes()
    answer = post(sample, code="parcel-history-example")
    assert answer.json()["new"] == 2
    assert TrackingEvent.objects.get(code="DLV").place == "Lyon"
    assert post(b'{"history": 3}', code="parcel-history-example").json()["error"]["code"] == "unknown_shape"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["events", "tracking_number", "at", "code", "text", "place", "parcel"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(json_values.map(json.dumps), json_values.map(lambda found: json.dumps({"events": [found]})), st.text())
)
def test_garbage_always_has_a_reason(body: str) -> None:
    parsed = parse(body)
    assert all(fault.code and fault.message for fault in parsed.faults)


def test_the_admin_writes_a_secret_and_never_shows_it(hook: CarrierHook, client_as: Any, admin_user: User) -> None:
    client = client_as(admin_user)
    page = f"/admin/shipments/carrierhook/{hook.pk}/change/"
    page_shown = client.get(page)
    assert page_shown.status_code == 200
    assert SECRET not in page_shown.content.decode()
    client.post(page, {"carrier": hook.carrier_id, "secret": "", "active": "on"})
    assert CarrierHook.objects.get().secret == SECRET
    client.post(page, {"carrier": hook.carrier_id, "secret": "short", "active": "on"})
    assert CarrierHook.objects.get().secret == SECRET
    client.post(page, {"carrier": hook.carrier_id, "secret": "a new and longer secret", "active": "on"})
    assert CarrierHook.objects.get().secret == "a new and longer secret"


def test_the_admin_takes_a_waiting_webhook_over_again(hook: CarrierHook, client_as: Any, admin_user: User) -> None:
    post(body_of(event("NEW1")))
    import_shipments(io.BytesIO(b"carrier,tracking_number\nacme,NEW1\n"))
    chosen = {"action": "take_again", "_selected_action": [HookDelivery.objects.get().pk]}
    client_as(admin_user).post("/admin/shipments/hookdelivery/", chosen)
    assert TrackingEvent.objects.count() == 1
