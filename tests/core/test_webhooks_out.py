"""Subscribers are told of what was committed, signed, again until they take it; who never does is switched off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core.models import AuditEntry
from core.tasks import send_due_webhooks, send_webhooks
from core.webhooks import emit, outbox, sending, services
from core.webhooks.models import WebhookDelivery, WebhookEvent, WebhookSubscription
from core.webhooks.signing import sign
from shipments.events.signing import check
from tests.core.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db
KIND = "shipment.status_changed"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with receiving() as started:
        yield started


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: Any) -> list[tuple[str, Any]]:
    """Wake-up calls are noted; the tests send themselves."""
    calls: list[tuple[str, Any]] = []
    monkeypatch.setattr(outbox, "_send", lambda task, argument: calls.append((task, argument)))
    return calls


def subscribe(receiver: Receiver, *events: str, name: str = "tool") -> WebhookSubscription:
    made, _secret = services.create_subscription(name=name, url=receiver.url, events=events or [KIND], actor=None)
    return made


def later(subscription: WebhookSubscription) -> None:
    """As if the wait after a failure were over."""
    WebhookSubscription.objects.filter(pk=subscription.pk).update(not_before=None)
    WebhookDelivery.objects.filter(state="waiting").update(next_attempt=timezone.now())


def test_nothing_is_written_when_nobody_subscribes(receiver: Receiver) -> None:
    assert emit(KIND, [{"a": 1}]) == 0
    subscription = subscribe(receiver, "document.stored")
    assert emit(KIND, [{"a": 1}]) == 0
    services.change_subscription(subscription, actor=None, events=[KIND])
    services.pause(subscription, actor=None)
    assert emit(KIND, [{"a": 1}]) == 0 and not WebhookEvent.objects.exists()


def test_events_arrive_signed_in_their_sequence_up_to_a_hundred_at_once(receiver: Receiver) -> None:
    subscription = subscribe(receiver)
    other = subscribe(receiver, KIND, "document.stored", name="other")
    assert emit(KIND, [{"n": number} for number in range(230)]) == 460
    assert sending.work(subscription.pk) is False
    assert [len(got.events) for got in receiver.got] == [100, 100, 30]
    assert [event["data"]["n"] for event in receiver.events] == list(range(230))
    sequences = [event["sequence"] for event in receiver.events]
    assert sequences == sorted(set(sequences))
    got = receiver.got[0]
    stamp = got.headers["x-hook-timestamp"]
    check(subscription.secret, stamp, got.headers["x-hook-signature"], got.body, now_s=time.time())
    assert got.headers["x-hook-signature"] == sign(subscription.secret, stamp, got.body)
    ids = [event["id"] for event in receiver.events]
    receiver.got.clear()
    sending.work(other.pk)
    assert [event["id"] for event in receiver.events] == ids  # known to everybody by the same id
    log = WebhookDelivery.objects.filter(subscription=subscription)
    assert list(log.values_list("state", "status", "attempts").distinct().order_by()) == [("delivered", 204, 1)]
    assert sending.work(subscription.pk) is False and len(receiver.got) == 3


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_told_to_nobody(receiver: Receiver, no_broker: list[Any]) -> None:
    subscription = subscribe(receiver)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        emit(KIND, [{"n": 1}])
        raise ZeroDivisionError
    assert not WebhookEvent.objects.exists() and no_broker == []
    with transaction.atomic():
        emit(KIND, [{"n": 2}])
        assert no_broker == []
    assert no_broker == [("core.send_webhooks", subscription.pk)]


def test_a_failure_is_tried_again_later_and_later_and_logged(receiver: Receiver) -> None:
    subscription = subscribe(receiver)
    receiver.answer = lambda got: (500, {}, b"out of order")
    emit(KIND, [{"n": 1}])
    sending.work(subscription.pk)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.response) == ("waiting", 500, "out of order")
    assert delivery.next_attempt is not None and delivery.duration_ms is not None
    assert timedelta(seconds=14) < delivery.next_attempt - timezone.now() < timedelta(seconds=20)
    emit(KIND, [{"n": 2}])
    assert sending.work(subscription.pk) is False and len(receiver.got) == 1  # it is left alone for now
    waits = [sending.wait_after(failures).total_seconds() for failures in range(1, 30)]
    assert [wait >= least for wait, least in zip(waits, [15, 60, 240, 960, 3600], strict=False)] == [True] * 5
    assert max(waits) <= 4_500
    receiver.answer = lambda got: (200, {}, b"")
    later(subscription)
    sending.work(subscription.pk)
    assert [event["data"]["n"] for event in receiver.events] == [1, 2, 1]  # new ones before repeats
    delivery.refresh_from_db()
    assert (delivery.state, [one["status"] for one in delivery.history]) == ("delivered", [500, 200])
    subscription.refresh_from_db()
    assert (subscription.failures, subscription.state, subscription.last_error) == (0, "active", "")


def test_one_poisonous_delivery_does_not_hold_up_the_others_and_is_given_up_after_a_day(receiver: Receiver) -> None:
    subscription = subscribe(receiver)
    receiver.answer = lambda got: (400 if b'"poison"' in got.body else 200, {}, b"")
    emit(KIND, [{"what": "poison"}])
    sending.work(subscription.pk)
    later(subscription)
    emit(KIND, [{"what": "good"}])
    sending.work(subscription.pk)
    assert dict(WebhookDelivery.objects.values_list("state", "attempts")) == {"waiting": 2, "delivered": 1}
    WebhookDelivery.objects.update(trying_since=timezone.now() - timedelta(days=1, minutes=1))
    later(subscription)
    sending.work(subscription.pk)
    given_up = WebhookDelivery.objects.get(state="given_up")
    assert (given_up.attempts, given_up.next_attempt) == (3, None)
    receiver.answer = lambda got: (200, {}, b"")
    services.resend(given_up, actor=None)
    sending.send_one(given_up.pk)
    given_up.refresh_from_db()
    assert (given_up.state, given_up.attempts) == ("delivered", 4)


def test_who_never_takes_anything_is_switched_off_and_comes_back_with_what_waits(receiver: Receiver) -> None:
    subscription = subscribe(receiver)
    receiver.answer = lambda got: (503, {}, b"")
    emit(KIND, [{"n": 1}])
    for _failure in range(sending.MOST_FAILURES + 3):
        later(subscription)
        sending.work(subscription.pk)
    subscription.refresh_from_db()
    assert (subscription.active, subscription.state, len(receiver.got)) == (False, "disabled", sending.MOST_FAILURES)
    assert subscription.disabled_reason == "Switched off after 20 failures in a row; the last one: answered 503"
    assert AuditEntry.objects.get(verb="webhook.disabled").source == "system"
    receiver.answer = lambda got: (200, {}, b"")
    test = services.send_test(subscription, actor=None)
    sending.send_one(test.pk)
    assert receiver.events[-1]["type"] == "test"
    services.resume(subscription, actor=None)
    sending.work(subscription.pk)
    assert receiver.events[-1]["data"] == {"n": 1}
    receiver.answer = lambda got: (410, {}, b"")
    emit(KIND, [{"n": 2}])
    sending.work(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == "disabled" and "gone" in subscription.disabled_reason


def test_only_one_sends_at_a_time_and_a_dead_ones_work_is_taken_over(receiver: Receiver) -> None:
    subscription = subscribe(receiver)
    emit(KIND, [{"n": 1}])
    WebhookSubscription.objects.update(busy_until=timezone.now() + timedelta(seconds=30))
    sending.work(subscription.pk)
    assert receiver.got == []
    delivery = sending._fresh(subscription)  # as by a worker that died before it could say what came of it
    assert delivery is not None
    WebhookSubscription.objects.update(busy_until=timezone.now() - timedelta(seconds=1))
    sending.work(subscription.pk)
    assert receiver.got == []
    WebhookDelivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    sending.work(subscription.pk)
    assert [event["data"] for event in receiver.events] == [{"n": 1}]


def test_the_clock_finds_what_nobody_was_woken_for_and_old_things_are_forgotten(
    receiver: Receiver, no_broker: list[tuple[str, Any]]
) -> None:
    subscription = subscribe(receiver)
    emit(KIND, [{"n": number} for number in range(3)])
    no_broker.clear()
    send_due_webhooks()
    assert no_broker == [("core.send_webhooks", subscription.pk)]
    send_webhooks(subscription.pk)
    no_broker.clear()
    send_due_webhooks()
    assert len(receiver.events) == 3 and no_broker == []
    assert sending.clear_old() == 0
    assert sending.clear_old(timezone.now() + timedelta(days=15)) > 0
    assert not WebhookDelivery.objects.exists() and not WebhookEvent.objects.exists()


def test_administrators_manage_webhooks_over_the_api(
    receiver: Receiver, api_client: Any, admin_user: User, operator: User
) -> None:
    api, address = api_client(admin_user), "/api/v1/webhooks/"
    assert api_client(operator).get(address).status_code == 403
    body = {"name": "warehouse", "url": receiver.url, "events": [KIND]}
    made = api.post(address, body, format="json")
    assert made.status_code == 201 and made.json()["secret"].startswith("whs_")
    own = f"{address}{made.json()['id']}/"
    assert "secret" not in api.get(own).json()
    assert made.json()["secret"] not in json.dumps(list(AuditEntry.objects.values_list("after", "summary")))
    assert api.post(address, body, format="json").json()["error"]["code"] == "name_taken"
    wrong = {"name": " ", "url": "http://10.0.0.1/", "events": ["nothing.happened"]}
    details = api.post(address, wrong, format="json").json()["error"]["details"]
    assert [(one["field"], one["code"]) for one in details] == [("name", "blank")]
    wrong["name"] = "other"
    details = api.post(address, wrong, format="json").json()["error"]["details"]
    assert {(one["field"], one["code"]) for one in details} == {
        ("url", "address_not_allowed"), ("events", "unknown_event"),
    }  # fmt: skip
    assert KIND in {kind["type"] for kind in api.get(f"{address}events/").json()}
    tested = api.post(f"{own}test/")
    assert (tested.status_code, tested.json()["state"]) == (202, "waiting")
    sending.send_one(tested.json()["id"])
    log = api.get(f"{own}deliveries/").json()["results"]
    assert [(row["state"], row["status"], row["first_type"]) for row in log] == [("delivered", 204, "test")]
    again = api.post(f"{own}deliveries/{log[0]['id']}/resend/")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    assert api.patch(own, {"active": False}, format="json").json()["state"] == "paused"
    assert api.patch(own, {"active": True, "name": "hub"}, format="json").json()["name"] == "hub"
    assert api.post(f"{own}secret/").json()["secret"] != made.json()["secret"]
    assert api.delete(own).status_code == 204 and api.get(own).status_code == 404
    assert not WebhookDelivery.objects.exists()
