"""Background work of the platform itself: thin doors that carry ids only."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import task_postrun

from core.api.idempotency import forget_old_answers
from core.aws import meter
from core.notices import sending as notices
from core.webhooks import sending
from core.webhooks.outbox import wake


@task_postrun.connect
def write_down_calls(**_signal: Any) -> None:
    """What the task asked of AWS is on record when it is over."""
    meter.flush_quietly()


@shared_task(name="core.send_webhooks", ignore_result=True)
def send_webhooks(subscription_id: int) -> None:
    """Send what waits for one subscriber, and come again while there is more."""
    if sending.work(subscription_id):
        wake(subscription_id)


@shared_task(name="core.send_webhook_delivery", ignore_result=True)
def send_webhook_delivery(delivery_id: str) -> None:
    """One delivery, because a person asked for it."""
    sending.send_one(delivery_id)


@shared_task(name="core.send_due_webhooks", ignore_result=True, expires=15)
def send_due_webhooks() -> None:
    """Repeats whose time has come, and events whose wake-up call got lost; every 15 seconds, harmless at any time."""
    for pk in sending.with_something_due().values_list("pk", flat=True):
        wake(pk)


@shared_task(name="core.send_notices", ignore_result=True, expires=55)
def send_notices() -> None:
    """E-mails and webhooks to people whose time has come; every minute and when there is something, harmless at any time."""
    while notices.send_due() >= notices.AT_ONCE:
        pass


@shared_task(name="core.forget_old", ignore_result=True, expires=3600)
def forget_old() -> None:
    """Old webhook deliveries, messages and kept answers; daily."""
    sending.clear_old()
    notices.clear_old()
    forget_old_answers()
