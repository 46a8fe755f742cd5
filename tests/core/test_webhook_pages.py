"""Administrators make, watch and mend webhooks on pages; nobody else sees them, and a secret is shown once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from core.models import Notification
from core.webhooks import emit, outbox, sending
from core.webhooks.models import WebhookDelivery, WebhookSubscription
from tests.core.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db
KIND = "shipment.status_changed"


@pytest.fixture
def receiver(settings: Any, monkeypatch: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(outbox, "_send", lambda task, argument: None)
    with receiving() as started:
        yield started


def test_a_webhook_is_made_tested_changed_and_deleted(client_as: Any, admin_user: User, receiver: Receiver) -> None:
    client = client_as(admin_user)
    assert b"No webhooks yet" in client.get("/webhooks/").content
    wrong = client.post("/webhooks/new/", {"name": "hub", "url": "http://10.0.0.1/", "events": [KIND]})
    assert wrong.status_code == 400 and b"not a public address" in wrong.content
    made = client.post("/webhooks/new/", {"name": "hub", "url": receiver.url, "events": [KIND]})
    webhook = WebhookSubscription.objects.get()
    assert webhook.secret.encode() in made.content and made["Cache-Control"].startswith("max-age=0")
    own = f"/webhooks/{webhook.pk}/"
    assert webhook.secret.encode() not in client.get(own).content
    again = client.post("/webhooks/new/", {"name": "hub", "url": receiver.url, "events": [KIND]})
    assert again.status_code == 400 and b"already" in again.content
    client.post(f"{own}test/")
    delivery = WebhookDelivery.objects.get()
    sending.send_one(delivery.pk)
    assert b"delivered" in client.get(own).content
    client.post(f"{own}deliveries/{delivery.pk}/resend/")
    sending.send_one(delivery.pk)
    assert len(receiver.got) == 2
    client.post(f"{own}edit/", {"name": "centre", "url": receiver.url, "events": [KIND, "document.stored"]})
    client.post(f"{own}pause/")
    webhook.refresh_from_db()
    assert (webhook.name, webhook.events, webhook.state) == ("centre", ["document.stored", KIND], "paused")
    client.post(f"{own}resume/")
    new = client.post(f"{own}secret/")
    fresh = WebhookSubscription.objects.get()
    assert fresh.secret != webhook.secret and fresh.secret.encode() in new.content
    client.post(f"{own}delete/")
    assert client.get(own).status_code == 404


def test_who_is_switched_off_is_shown_to_administrators_with_the_reason(
    client_as: Any, admin_user: User, operator: User, receiver: Receiver, query_budget: Any
) -> None:
    client = client_as(admin_user)
    client.post("/webhooks/new/", {"name": "hub", "url": receiver.url, "events": [KIND]})
    webhook = WebhookSubscription.objects.get()
    assert client.get("/webhooks/alert/").content.strip() == b""
    receiver.answer = lambda got: (410, {}, b"<script>gone</script>")
    emit(KIND, [{"n": 1}])
    sending.work(webhook.pk)
    assert b"1 webhook is off" in client.get("/webhooks/alert/").content
    told = Notification.objects.get()
    assert (told.user, told.url) == (admin_user, f"/webhooks/{webhook.pk}/") and "hub" in told.text
    with query_budget(14):
        page = client.get(f"/webhooks/{webhook.pk}/").content
    assert b"Switched off because it answered that it is gone (410)" in page
    assert b"<script>gone" not in page and b"&lt;script&gt;gone" in page
    for address in ("/webhooks/", f"/webhooks/{webhook.pk}/", "/webhooks/alert/", "/webhooks/new/"):
        assert client_as(operator).get(address).status_code == 403
    assert client.get("/admin/core/webhooksubscription/").status_code == 200
    shown = client.get(f"/admin/core/webhooksubscription/{webhook.pk}/change/").content
    assert webhook.secret.encode() not in shown and b"secret" not in shown.lower()
