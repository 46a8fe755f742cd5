"""Counts by carrier and drawer. Each statement reads one index from end to end and replaces the rows of its kinds.

The conditions are those of the list's filters (`shipments.listing.attention`), so that a number and the list behind it are
the same; `tests/shipments/test_home_numbers.py` holds the two against each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shipments.choices import EXCEPTIONS, RETURNED, DocumentState, DocumentType
from shipments.models import HomeCount

LATE_DAYS = (0, 1, 3, 7)
SILENT_DAYS = (1, 3, 7, 14)
PROOF_DAYS = (2, 7, 14)
"""From how many days on a delivery is in the next drawer."""
PROOF_WITHIN = 30
"""Days after which nobody asks for a proof of delivery any more."""
DUE_HOURS = 50
"""As far ahead as the end of tomorrow can be."""
HOUR = "YYYY-MM-DD HH24"

_KEPT = "INSERT INTO shipments_homecount (kind, carrier_id, key, n)"
# One walk over the index `shipment_open`. width_bucket gives how many of the limits a number of days has reached.
_OPEN = f"""
WITH open AS MATERIALIZED (
    SELECT carrier_id, status, reason,
        CASE WHEN status <> 'return_to_sender' AND promised < %(now)s
            THEN width_bucket(extract(epoch FROM %(now)s - promised) / 86400, %(late)s::numeric[]) END AS late,
        CASE WHEN status <> 'return_to_sender' AND promised >= %(now)s AND promised < %(now)s + %(ahead)s * interval '1 hour'
            THEN to_char(promised AT TIME ZONE 'UTC', '{HOUR}') END AS due,
        CASE WHEN status <> 'return_to_sender'
            THEN width_bucket(extract(epoch FROM %(now)s - coalesce(last_event, updated)) / 86400, %(silent)s::numeric[])
            END AS silent,
        count(*) AS n
    FROM shipments_shipment WHERE NOT status = 'delivered' AND NOT status = 'cancelled'
    GROUP BY 1, 2, 3, 4, 5, 6
)
{_KEPT}
SELECT 'late', carrier_id, late::text, sum(n) FROM open WHERE late > 0 GROUP BY 2, 3
UNION ALL SELECT 'silent', carrier_id, silent::text, sum(n) FROM open WHERE silent > 0 GROUP BY 2, 3
UNION ALL SELECT 'due', NULL, due, sum(n) FROM open WHERE due IS NOT NULL GROUP BY 3
UNION ALL SELECT 'exception', carrier_id, reason, sum(n) FROM open
WHERE status = ANY(%(exceptions)s) AND NOT (status = 'return_to_sender' AND reason = %(returned)s) GROUP BY 2, 3
"""  # noqa: S608  # made of the names above only
_UNMAPPED = f"""
{_KEPT} SELECT 'unmapped', carrier_id, '', count(*) FROM shipments_shipment WHERE unmapped GROUP BY 2
"""  # noqa: S608  # the same
_PROOF = f"""
{_KEPT} SELECT 'proof', carrier_id,
    width_bucket(extract(epoch FROM %(now)s - delivered) / 86400, %(days)s::numeric[])::text, count(*)
FROM shipments_shipment s
WHERE delivered <= %(now)s - %(from)s * interval '1 day' AND delivered > %(now)s - %(within)s * interval '1 day'
    AND NOT EXISTS (SELECT 1 FROM shipments_document d WHERE d.shipment_id = s.id AND d.type = %(type)s AND d.state = %(state)s)
GROUP BY 2, 3
"""  # noqa: S608  # the same
_MESSAGES = f"""
{_KEPT} SELECT 'message', NULL::bigint, 'unclassified', count(*) FROM shipments_carriermessage WHERE status = ''
UNION ALL SELECT 'message', NULL, 'review', count(*) FROM shipments_carriermessage WHERE NOT applied AND NOT status = ''
"""  # noqa: S608  # the same


def count_open(cursor: Any, now: datetime) -> None:
    """Late, silent, due, exceptions."""
    _forget("late", "silent", "due", "exception")
    values = {
        "now": now, "late": list(LATE_DAYS), "silent": list(SILENT_DAYS), "ahead": DUE_HOURS,
        "exceptions": [status.value for status in EXCEPTIONS], "returned": RETURNED,
    }  # fmt: skip
    cursor.execute(_OPEN, values)


def count_unmapped(cursor: Any, now: datetime) -> None:
    _forget("unmapped")
    cursor.execute(_UNMAPPED)


def count_proofs(cursor: Any, now: datetime) -> None:
    """Delivered some days ago, and no proof of delivery is stored."""
    _forget("proof")
    values = {
        "now": now, "days": list(PROOF_DAYS), "from": PROOF_DAYS[0], "within": PROOF_WITHIN,
        "type": DocumentType.PROOF_OF_DELIVERY.value, "state": DocumentState.STORED.value,
    }  # fmt: skip
    cursor.execute(_PROOF, values)


def count_messages(cursor: Any, now: datetime) -> None:
    _forget("message")
    cursor.execute(_MESSAGES)


def _forget(*kinds: str) -> None:
    HomeCount.objects.filter(kind__in=kinds).delete()
