"""Sending what waits: one sender per subscription at a time, up to 100 events a POST, later and later after failures."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import record
from core.notifications import Kind, notify, register_kind
from core.webhooks.choices import DeliveryState
from core.webhooks.models import WebhookDelivery, WebhookEvent, WebhookSubscription
from core.webhooks.outbox import encoded
from core.webhooks.posting import TOTAL_S, Answer, post
from core.webhooks.signing import SIGNATURE_HEADER, TIME_HEADER, sign

AT_ONCE = 100
WORK_S = 40
LEASE = timedelta(seconds=3 * TOTAL_S)
FIRST_WAIT_S, LONGEST_WAIT_S = 15, 3_600
PATIENCE = timedelta(days=1)
"""For so long a delivery is tried; then it is given up, and stays in the log."""
MOST_FAILURES = 20
"""In a row, of one subscription, before it switches itself off: some 16 hours of nothing else."""
KEPT = timedelta(days=14)
KEPT_ATTEMPTS = 40
GONE = 410
KIND = "webhook"
register_kind(
    KIND, Kind(gettext_lazy("webhook"), "link", "red", explained=gettext_lazy("a webhook switched itself off"))
)


def wait_after(failures: int) -> timedelta:
    """15 s, 1 min, 4 min, 16 min, then an hour; up to a quarter more, so that not all come back at once."""
    wait = min(FIRST_WAIT_S * 4 ** min(failures - 1, 10), LONGEST_WAIT_S)
    return timedelta(seconds=wait * random.uniform(1, 1.25))  # noqa: S311  # spreading, no secret


def work(subscription_id: int, *, seconds: float = WORK_S) -> bool:
    """Send what is due to one subscriber for a while; True when there is more to do at once.

    Quiet when somebody else is at it, when it is switched off, or when it is left alone after a failure.
    """
    until = time.monotonic() + seconds
    if not _lease(subscription_id):
        return False
    try:
        while time.monotonic() < until:
            subscription = WebhookSubscription.objects.get(pk=subscription_id)
            if not subscription.active or (subscription.not_before or timezone.now()) > timezone.now():
                break
            delivery = _fresh(subscription) or _due(subscription)
            if delivery is None:
                break
            _attempt(subscription, delivery)
            WebhookSubscription.objects.filter(pk=subscription_id).update(busy_until=timezone.now() + LEASE)
    finally:
        WebhookSubscription.objects.filter(pk=subscription_id).update(busy_until=None)
    return with_something_due().filter(pk=subscription_id).exists()


def with_something_due() -> QuerySet[WebhookSubscription]:
    """Active subscriptions that may be sent to now, and have something to be sent."""
    now = timezone.now()
    waiting = WebhookEvent.objects.filter(subscription=OuterRef("pk"), delivery=None).order_by()
    due = WebhookDelivery.objects.filter(_open(now), subscription=OuterRef("pk")).order_by()
    rested = Q(not_before=None) | Q(not_before__lte=now)
    return WebhookSubscription.objects.filter(rested, Exists(waiting) | Exists(due), active=True)


def send_one(delivery_id: UUID | str) -> None:
    """Send one delivery now, whatever the state of its subscription: a test, or a resend by a person."""
    delivery = WebhookDelivery.objects.select_related("subscription").filter(pk=delivery_id).first()
    if delivery is not None and _claim(delivery):
        _attempt(delivery.subscription, delivery)


def _lease(subscription_id: int) -> bool:
    now = timezone.now()
    free = Q(busy_until=None) | Q(busy_until__lt=now)
    rows = WebhookSubscription.objects.filter(free, pk=subscription_id, active=True)
    return bool(rows.update(busy_until=now + LEASE))


@transaction.atomic
def _fresh(subscription: WebhookSubscription) -> WebhookDelivery | None:
    """A delivery made of the oldest events that wait."""
    waiting = WebhookEvent.objects.select_for_update(skip_locked=True).filter(subscription=subscription, delivery=None)
    found = list(waiting.order_by("id").values_list("pk", "type")[:AT_ONCE])
    if not found:
        return None
    now = timezone.now()
    delivery = WebhookDelivery.objects.create(
        subscription=subscription, event_count=len(found), first_type=found[0][1], next_attempt=now,
        claimed_until=now + LEASE,
    )  # fmt: skip
    WebhookEvent.objects.filter(pk__in=[pk for pk, _type in found]).update(delivery=delivery)
    return delivery


def _open(now: datetime) -> Q:
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return unclaimed & Q(state=DeliveryState.WAITING, next_attempt__lte=now)


def _due(subscription: WebhookSubscription) -> WebhookDelivery | None:
    """The delivery that has waited longest for its next try."""
    for delivery in subscription.deliveries.filter(_open(timezone.now())).order_by("next_attempt")[:5]:
        if _claim(delivery):
            return delivery
    return None


def _claim(delivery: WebhookDelivery) -> bool:
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    rows = WebhookDelivery.objects.filter(free, pk=delivery.pk, state=DeliveryState.WAITING)
    return bool(rows.update(claimed_until=now + LEASE))


def _attempt(subscription: WebhookSubscription, delivery: WebhookDelivery) -> None:
    body = body_of(delivery)
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json", "User-Agent": "shipment-platform", "X-Hook-Delivery": str(delivery.pk),
        TIME_HEADER: stamp, SIGNATURE_HEADER: sign(subscription.secret, stamp, body),
    }  # fmt: skip
    _note(delivery.pk, post(subscription.url, body, headers))


def body_of(delivery: WebhookDelivery) -> bytes:
    """The events of a delivery, in their sequence."""
    rows = delivery.events.order_by("id").values("event_id", "pk", "type", "at", "data")
    events = [
        {"id": row["event_id"], "sequence": row["pk"], "type": row["type"], "at": row["at"], "data": row["data"]}
        for row in rows
    ]
    return encoded({"delivery": delivery.pk, "events": events})


@transaction.atomic
def _note(delivery_id: UUID, answer: Answer) -> None:
    """What became of one try, of the delivery and of the subscription."""
    delivery = WebhookDelivery.objects.select_for_update().filter(pk=delivery_id).first()
    if delivery is None:
        return  # its subscription was deleted meanwhile
    now = timezone.now()
    tried = {
        "at": now.isoformat(), "status": answer.status, "duration_ms": answer.duration_ms, "error": answer.error,
    }  # fmt: skip
    delivery.attempts += 1
    delivery.status, delivery.duration_ms = answer.status, answer.duration_ms
    delivery.response, delivery.error, delivery.claimed_until = answer.excerpt, answer.error[:300], None
    delivery.history = [*delivery.history, tried][-KEPT_ATTEMPTS:]
    if answer.taken:
        delivery.state, delivery.finished, delivery.next_attempt = DeliveryState.DELIVERED, now, None
    elif now - delivery.trying_since >= PATIENCE:
        delivery.state, delivery.finished, delivery.next_attempt = DeliveryState.GIVEN_UP, now, None
    else:
        delivery.next_attempt = now + max(wait_after(delivery.attempts), timedelta(seconds=answer.retry_after_s))
    delivery.save()
    subscription = WebhookSubscription.objects.select_for_update().get(pk=delivery.subscription_id)
    if answer.taken:
        subscription.failures, subscription.not_before, subscription.last_success = 0, None, now
        subscription.last_error = ""
    else:
        _note_failure(subscription, answer, now)
    subscription.save(
        update_fields=[
            "failures", "not_before", "last_success", "last_failure", "last_error", "active", "disabled_reason",
        ]
    )  # fmt: skip


def _note_failure(subscription: WebhookSubscription, answer: Answer, now: datetime) -> None:
    subscription.failures += 1
    subscription.last_failure, subscription.last_error = now, answer.error[:300]
    subscription.not_before = now + max(wait_after(subscription.failures), timedelta(seconds=answer.retry_after_s))
    gone = answer.status == GONE
    if subscription.active and (gone or subscription.failures >= MOST_FAILURES):
        why = f"after {subscription.failures} failures in a row; the last one: {answer.error}"
        subscription.active = False
        why = "because it answered that it is gone (410)" if gone else why
        subscription.disabled_reason = f"Switched off {why}"[:300]
        record(actor=None, verb="webhook.disabled", target=subscription, source="system",
               summary=f"{subscription.name}: {subscription.disabled_reason}")  # fmt: skip
        admins = get_user_model().objects.with_perm("core.administer").only("pk")
        words = _("The webhook “%(name)s” switched itself off") % {"name": subscription.name}
        notify(admins, kind=KIND, text=words, url=f"/webhooks/{subscription.pk}/")


def clear_old(now: datetime | None = None) -> int:
    """Forget deliveries, and events that nobody wants any more, after 14 days; how many."""
    before = (now or timezone.now()) - KEPT
    gone, last = 0, AT_ONCE
    while last:
        old: list[Any] = list(WebhookDelivery.objects.filter(created__lt=before).values_list("pk", flat=True)[:AT_ONCE])
        with transaction.atomic():
            WebhookEvent.objects.filter(delivery__in=old).delete()
            last = WebhookDelivery.objects.filter(pk__in=old).delete()[0]
        gone += last
    return gone + WebhookEvent.objects.filter(delivery=None, at__lt=before).delete()[0]
