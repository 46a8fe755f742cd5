"""Events into the outbox, in the transaction of the change they tell of."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from celery import current_app
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
_SUBSCRIBERS = "SELECT id FROM core_webhooksubscription WHERE active AND events && %s::varchar[] ORDER BY id"
_INSERT = """
WITH happened AS MATERIALIZED (
    SELECT gen_random_uuid() AS event_id, data, row_number() OVER () AS place FROM ({select}) AS told
)
INSERT INTO core_webhookevent (event_id, subscription_id, type, data, at)
SELECT event_id, subscriber, %(event_type)s, data, clock_timestamp()
FROM happened CROSS JOIN unnest(%(subscribers)s::bigint[]) AS subscriber ORDER BY place, subscriber
"""
_GIVEN = "SELECT data::jsonb AS data FROM unnest(%(data)s::text[]) WITH ORDINALITY AS given(data, place) ORDER BY place"
_encode = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def subscribed(*event_types: str) -> bool:
    """Whether anybody wants to be told; ask before gathering what is to be told."""
    return bool(_subscribers(event_types))


def _subscribers(event_types: Sequence[str]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_SUBSCRIBERS, [list(event_types)])
        return [pk for (pk,) in cursor.fetchall()]


def emit(event_type: str, data: Sequence[Mapping[str, Any]]) -> int:
    """Tell all subscribers of these events, in this order; how many rows that made."""
    return emit_selected(event_type, _GIVEN, {"data": [_encode(one) for one in data]}) if data else 0


def emit_selected(event_type: str, select: str, values: Mapping[str, Any]) -> int:
    """As `emit`, for many: one event for each row of a SELECT (ours, never anybody's text) with one column `data` of jsonb.

    Nothing is selected when nobody subscribes. Call it inside the transaction of the change.
    """
    subscribers = _subscribers([event_type])
    if not subscribers:
        return 0
    with connection.cursor() as cursor:
        sql = _INSERT.format(select=select)
        cursor.execute(sql, {**values, "event_type": event_type, "subscribers": subscribers})
        written = int(cursor.rowcount)
    if written:
        for pk in subscribers:
            transaction.on_commit(partial(wake, pk))
    return written


def wake(subscription_id: int) -> None:
    """Something waits. When the broker is away, the clock finds it."""
    _send("core.send_webhooks", subscription_id)


def wake_delivery(delivery_id: Any) -> None:
    """One delivery shall go now."""
    _send("core.send_webhook_delivery", str(delivery_id))


def wake_task(task: str) -> None:
    """The same for other tasks that look themselves for what is due."""
    _send(task, None)


def _send(task: str, argument: Any) -> None:
    """Returns at once: a broker that is away, or hangs, must hold nobody up."""
    threading.Thread(target=_send_now, args=(task, argument), name="wake-webhooks", daemon=True).start()


def _send_now(task: str, argument: Any) -> None:
    try:
        current_app.send_task(task, [] if argument is None else [argument], retry=False, expires=60)
    except (OperationalError, OSError) as error:
        logger.warning("no broker for %s: %s", task, error)


def encoded(value: Any) -> bytes:
    """A body as it is signed and sent."""
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()
