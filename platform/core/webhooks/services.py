"""What people and tools do to subscriptions: each a change with its entry in the audit trail."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from core.slots import webhook_events
from core.webhooks.addresses import BadAddressError, target_of
from core.webhooks.choices import DeliveryState
from core.webhooks.models import WebhookDelivery, WebhookEvent, WebhookSubscription
from core.webhooks.outbox import wake, wake_delivery

TEST = "test"


def kinds() -> dict[str, str]:
    """Every kind of event there is, with what it tells."""
    return {entry.type: str(entry.label) for entry in webhook_events}


def checked(*, name: str, url: str, events: Sequence[str]) -> dict[str, Any]:
    """The fields as they are stored. Raises ValidationError, with a code for each field."""
    wrong: dict[str, ValidationError] = {}
    name = " ".join(name.replace("\0", "").split())
    if not 0 < len(name) <= 80:
        wrong["name"] = ValidationError(_("A name of at most 80 characters."), code="bad_name")
    try:
        target_of(url.strip())
    except BadAddressError as error:
        wrong["url"] = ValidationError(str(error), code=error.code)
    known = kinds()
    if not events or (unknown := [event for event in events if event not in known]):
        words = _("Choose from: %(known)s.") % {"known": ", ".join(known)}
        wrong["events"] = ValidationError(words, code="unknown_event" if events and unknown else "missing")
    if wrong:
        raise ValidationError(wrong)
    return {"name": name, "url": url.strip(), "events": sorted(set(events))}


def new_secret() -> str:
    return f"whs_{secrets.token_urlsafe(32)}"


def create_subscription(
    *, name: str, url: str, events: Sequence[str], actor: Any, source: str = "page"
) -> tuple[WebhookSubscription, str]:
    """The second value is the secret, which is shown once.

    Raises:
        ValidationError: a field is not right.
        RefusedError: there is one of that name.
    """
    values, secret = checked(name=name, url=url, events=events), new_secret()
    try:
        with transaction.atomic():
            made = WebhookSubscription.objects.create(
                **values, secret=secret, created_by_name=actor.get_username() if actor else "system"
            )
            record(actor=actor, verb="webhook.created", target=made, source=source, summary=made.name, after=values)
    except IntegrityError as error:
        raise _name_taken(values["name"]) from error
    return made, secret


def _name_taken(name: str) -> RefusedError:
    words = _("There is a webhook called “%(name)s” already.") % {"name": name}
    return RefusedError(words, code="name_taken", fields={"name": [words]})


def change_subscription(
    subscription: WebhookSubscription, *, actor: Any, source: str = "page", **stated: Any
) -> WebhookSubscription:
    """Change name, url or events. Raises as `create_subscription`."""
    before = {name: getattr(subscription, name) for name in ("name", "url", "events")}
    values = checked(**(before | stated))
    if values == before:
        return subscription
    try:
        with transaction.atomic():
            WebhookSubscription.objects.filter(pk=subscription.pk).update(**values)
            record(actor=actor, verb="webhook.changed", target=subscription, source=source, summary=values["name"],
                   before=before, after=values)  # fmt: skip
    except IntegrityError as error:
        raise _name_taken(values["name"]) from error
    subscription.refresh_from_db()
    return subscription


@transaction.atomic
def pause(subscription: WebhookSubscription, *, actor: Any, source: str = "page") -> bool:
    """Send nothing, and gather nothing, until it is resumed. False when it was not active."""
    rows = WebhookSubscription.objects.filter(pk=subscription.pk, active=True)
    if not rows.update(active=False, disabled_reason=""):
        return False
    record(actor=actor, verb="webhook.paused", target=subscription, source=source, summary=subscription.name)
    return True


@transaction.atomic
def resume(subscription: WebhookSubscription, *, actor: Any, source: str = "page") -> bool:
    """Send again, first what still waits. False when it was active."""
    rows = WebhookSubscription.objects.filter(pk=subscription.pk, active=False)
    if not rows.update(active=True, disabled_reason="", failures=0, not_before=None, last_error=""):
        return False
    now = timezone.now()
    waiting = WebhookDelivery.objects.filter(subscription=subscription, state=DeliveryState.WAITING)
    waiting.update(next_attempt=now, trying_since=now)
    record(actor=actor, verb="webhook.resumed", target=subscription, source=source, summary=subscription.name)
    transaction.on_commit(partial(wake, subscription.pk))
    return True


@transaction.atomic
def rotate_secret(subscription: WebhookSubscription, *, actor: Any, source: str = "page") -> str:
    """A new secret, shown once; the old one signs nothing from now on."""
    secret = new_secret()
    subscription.secret = secret
    subscription.save(update_fields=["secret"])
    record(actor=actor, verb="webhook.new_secret", target=subscription, source=source, summary=subscription.name)
    return secret


@transaction.atomic
def delete_subscription(subscription: WebhookSubscription, *, actor: Any, source: str = "page") -> None:
    record(actor=actor, verb="webhook.deleted", target=subscription, source=source, summary=subscription.name,
           before={"url": subscription.url, "events": subscription.events})  # fmt: skip
    subscription.queue.all().delete()
    subscription.delete()


@transaction.atomic
def send_test(subscription: WebhookSubscription, *, actor: Any, source: str = "page") -> WebhookDelivery:
    """One event of the type `test`, at once, also to a subscription that is paused."""
    delivery = WebhookDelivery.objects.create(
        subscription=subscription, event_count=1, first_type=TEST, next_attempt=timezone.now()
    )
    said = {"message": "A test of this webhook.", "sent_by": actor.get_username() if actor else "system"}
    WebhookEvent.objects.create(
        event_id=uuid.uuid4(), subscription=subscription, type=TEST, data=said, delivery=delivery
    )
    record(actor=actor, verb="webhook.tested", target=subscription, source=source, summary=subscription.name)
    transaction.on_commit(partial(wake_delivery, delivery.pk))
    return delivery


@transaction.atomic
def resend(delivery: WebhookDelivery, *, actor: Any, source: str = "page") -> None:
    """The same events once more, with a new day of patience; receivers know them by their ids.

    Raises:
        RefusedError: its events are not kept any more.
    """
    if not delivery.events.exists():
        raise RefusedError(_("The events of this delivery are not kept any more."), code="events_gone")
    now = timezone.now()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.WAITING, next_attempt=now, trying_since=now, finished=None, claimed_until=None
    )
    record(actor=actor, verb="webhook.resent", target=delivery.subscription, source=source, summary=str(delivery.pk))
    transaction.on_commit(partial(wake_delivery, delivery.pk))
