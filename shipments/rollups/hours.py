"""Orders, deliveries and attempts in vain by hour (UTC) and carrier, and for all carriers together.

A run counts the last `AGAIN_DAYS` days anew; what concerns earlier hours (a file about last week, a carrier's late event,
a time of delivery that was mended) comes in once a day, when all `KEPT_DAYS` days are counted. Only cells that differ are
written. A delivery that was tried in vain several times within an hour counts once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

AGAIN_DAYS = 3
KEPT_DAYS = 70
"""Eight weeks to compare with, and some to spare."""

_COUNT = """
WITH happened (at, carrier_id, orders, delivered, failed) AS (
    SELECT date_trunc('hour', created, 'UTC'), carrier_id, count(*), 0, 0
    FROM shipments_shipment WHERE created >= %(since)s AND created <= %(now)s GROUP BY 1, 2
    UNION ALL SELECT date_trunc('hour', delivered, 'UTC'), carrier_id, 0, count(*), 0
    FROM shipments_shipment WHERE delivered >= %(since)s AND delivered <= %(now)s GROUP BY 1, 2
    UNION ALL SELECT date_trunc('hour', e.at, 'UTC'), s.carrier_id, 0, 0, count(DISTINCT s.id)
    FROM shipments_trackingevent e JOIN shipments_shipment s ON s.id = e.shipment_id
    WHERE e.status = 'delivery_failed' AND e.at >= %(since)s AND e.at <= %(now)s GROUP BY 1, 2
), counted AS (
    SELECT at, carrier_id, sum(orders) AS orders, sum(delivered) AS delivered, sum(failed) AS failed
    FROM happened GROUP BY GROUPING SETS ((at, carrier_id), (at))
), gone AS (
    DELETE FROM shipments_homehour h WHERE hour >= %(since)s AND NOT EXISTS (
        SELECT 1 FROM counted c WHERE c.at = h.hour AND c.carrier_id IS NOT DISTINCT FROM h.carrier_id)
)
INSERT INTO shipments_homehour AS known (hour, carrier_id, orders, delivered, failed)
SELECT at, carrier_id, orders, delivered, failed FROM counted
ON CONFLICT (carrier_id, hour) DO UPDATE
SET orders = excluded.orders, delivered = excluded.delivered, failed = excluded.failed
WHERE (known.orders, known.delivered, known.failed) IS DISTINCT FROM (excluded.orders, excluded.delivered, excluded.failed)
"""
_OLD = "DELETE FROM shipments_homehour WHERE hour < %s"


def count_hours(cursor: Any, now: datetime) -> None:
    """The last days."""
    _count(cursor, now, AGAIN_DAYS)


def count_all_hours(cursor: Any, now: datetime) -> None:
    """Everything that is kept; what is older goes."""
    _count(cursor, now, KEPT_DAYS)
    cursor.execute(_OLD, [_start(now, KEPT_DAYS)])


def _count(cursor: Any, now: datetime, days: int) -> None:
    cursor.execute(_COUNT, {"since": _start(now, days), "now": now})


def _start(now: datetime, days: int) -> datetime:
    """A full hour, so that no cell is counted in part."""
    return (now.astimezone(UTC) - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
