"""Counts by carrier and drawer. Each statement reads one index from end to end and replaces the rows of its kinds.

The conditions are those of the list's filters (`shipments.listing.attention`), so that a number and the list behind it are
the same; `tests/shipments/test_home_numbers.py` holds the two against each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from shipments.choices import EXCEPTIONS, RETURNED, DocumentType
from shipments.models import HomeCount

LATE_DAYS = (0, 1, 3, 7)
SILENT_DAYS = (1, 3, 7, 14)
PROOF_DAYS = (2, 7, 14)
"""From how many days on a delivery is in the next drawer."""
PROOF_WITHIN = 30
"""Days after which nobody asks for a proof of delivery any more."""
DUE_HOURS = 50
"""As far ahead as the end of tomorrow can be."""
HOUR, DAY = "YYYY-MM-DD HH24", "YYYY-MM-DD"
"""Keys of what is due: an hour in UTC, or the day of a promise without a time."""

_KEPT = "INSERT INTO shipments_homecount (kind, carrier_id, key, n)"
# One walk over the index `shipment_open`. width_bucket gives how many of the limits a number of days has reached.
_OPEN = f"""
WITH seen AS (
    SELECT carrier_id, status, reason, promised, coalesce(last_event, updated) AS heard,
        status <> 'return_to_sender' AS expected, (promised AT TIME ZONE 'UTC')::time = '00:00' AS whole_day
    FROM shipments_shipment
    WHERE NOT status = 'delivered' AND NOT status = 'cancelled' AND NOT (status = 'return_to_sender' AND reason = '{RETURNED}')
), timed AS (
    SELECT *, CASE WHEN whole_day THEN (promised AT TIME ZONE 'UTC' + interval '1 day') AT TIME ZONE %(zone)s ELSE promised END
        AS deadline
    FROM seen
), open AS MATERIALIZED (
    SELECT carrier_id, status, reason,
        CASE WHEN expected AND deadline < %(now)s
            THEN width_bucket(extract(epoch FROM %(now)s - deadline) / 86400, %(late)s::numeric[]) END AS late,
        CASE WHEN expected AND promised >= %(now)s - interval '1 day' AND promised < %(now)s + %(ahead)s * interval '1 hour'
            AND (whole_day OR promised >= %(now)s)
            THEN to_char(promised AT TIME ZONE 'UTC', CASE WHEN whole_day THEN '{DAY}' ELSE '{HOUR}' END) END AS due,
        CASE WHEN expected
            THEN width_bucket(extract(epoch FROM %(now)s - heard) / 86400, %(silent)s::numeric[]) END AS silent,
        count(*) AS n
    FROM timed GROUP BY 1, 2, 3, 4, 5, 6
)
{_KEPT}
SELECT 'late', carrier_id, late::text, sum(n) FROM open WHERE late > 0 GROUP BY 2, 3
UNION ALL SELECT 'silent', carrier_id, silent::text, sum(n) FROM open WHERE silent > 0 GROUP BY 2, 3
UNION ALL SELECT 'due', NULL, due, sum(n) FROM open WHERE due IS NOT NULL GROUP BY 3
UNION ALL SELECT 'exception', carrier_id, reason, sum(n) FROM open
WHERE status = ANY(%(exceptions)s) GROUP BY 2, 3
"""  # noqa: S608  # made of the names above only
_UNMAPPED = f"""
{_KEPT} SELECT 'unmapped', carrier_id, '', count(*) FROM shipments_shipment WHERE unmapped GROUP BY 2
"""  # noqa: S608  # the same
_PROOF = f"""
{_KEPT} SELECT 'proof', s.carrier_id,
    width_bucket(extract(epoch FROM %(now)s - s.delivered) / 86400, %(days)s::numeric[])::text, count(*)
FROM shipments_expecteddocument e JOIN shipments_shipment s ON s.id = e.shipment_id
WHERE e.document_type = %(type)s AND e.state IN ('waiting', 'overdue', 'running', 'failed')
    AND s.delivered <= %(now)s - %(from)s * interval '1 day' AND s.delivered > %(now)s - %(within)s * interval '1 day'
GROUP BY 2, 3
"""  # noqa: S608  # the same
_MESSAGES = f"""
{_KEPT} SELECT 'message', NULL::bigint, 'unclassified', count(*) FROM shipments_carriermessage WHERE status = ''
UNION ALL SELECT 'message', NULL, 'review', count(*) FROM shipments_carriermessage WHERE NOT applied AND NOT status = ''
"""  # noqa: S608  # the same


def count_open(cursor: Any, now: datetime) -> None:
    """Late, silent, due, exceptions. Days that were promised end as in the zone of the installation."""
    _forget("late", "silent", "due", "exception")
    values = {
        "now": now, "zone": settings.DISPLAY_TIME_ZONE, "late": list(LATE_DAYS), "silent": list(SILENT_DAYS), "ahead": DUE_HOURS,
        "exceptions": [status.value for status in EXCEPTIONS],
    }  # fmt: skip
    cursor.execute(_OPEN, values)


def count_unmapped(cursor: Any, now: datetime) -> None:
    _forget("unmapped")
    cursor.execute(_UNMAPPED)


def count_proofs(cursor: Any, now: datetime) -> None:
    """Delivered some days ago, and the proof of delivery is expected and not there (`missing=proof_of_delivery`)."""
    _forget("proof")
    values = {
        "now": now, "days": list(PROOF_DAYS), "from": PROOF_DAYS[0], "within": PROOF_WITHIN,
        "type": DocumentType.PROOF_OF_DELIVERY.value,
    }  # fmt: skip
    cursor.execute(_PROOF, values)


def count_messages(cursor: Any, now: datetime) -> None:
    _forget("message")
    cursor.execute(_MESSAGES)


def _forget(*kinds: str) -> None:
    HomeCount.objects.filter(kind__in=kinds).delete()
