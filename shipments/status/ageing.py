"""Deliveries of which nothing was heard for long get another status by rule (`AgeingRule`); no event is invented."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from core.audit import record
from shipments.models import AgeingRule
from shipments.status.moved import Moved
from shipments.webhooks import tell_moved

AT_ONCE = 5_000


class Aged(NamedTuple):
    after: timedelta
    status: str
    reason: str
    active: bool


class Rules:
    """A carrier's own rule for a status goes before the one for all; an inactive own rule exempts the carrier."""

    def __init__(self, rules: dict[tuple[int | None, str], Aged]) -> None:
        self._rules = rules

    def of(self, carrier_id: int, status: str, heard: datetime | None, now: datetime) -> tuple[str, str] | None:
        """The (status, reason) that silence gives a delivery in `status`; None when it is not for long, or without rule."""
        rule = self._rules.get((carrier_id, status)) or self._rules.get((None, status))
        if rule is None or not rule.active or heard is None or heard >= now - rule.after:
            return None
        return rule.status, rule.reason


def current_rules() -> Rules:
    """One small query."""
    values = AgeingRule.objects.values_list("carrier_id", "from_status", "after_days", "to_status", "reason", "active")
    return Rules(
        {
            (carrier, before): Aged(timedelta(days=days), after, reason, active)
            for carrier, before, days, after, reason, active in values
        }
    )


# Nothing is heard of a delivery before it was ordered, so the index over status and order time finds the old ones.
_AGE = """
UPDATE shipments_shipment AS s SET status = %(status)s, reason = %(reason)s, updated = clock_timestamp()
FROM (
    SELECT id, reason FROM shipments_shipment
    WHERE status = %(before)s AND created < %(heard)s AND coalesce(last_event, updated) < %(heard)s
        AND (%(carrier)s::bigint IS NULL OR carrier_id = %(carrier)s) AND NOT carrier_id = ANY(%(exempt)s)
    ORDER BY created DESC, id DESC LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) AS was
WHERE s.id = was.id
RETURNING s.id, was.reason
"""


def age_shipments(now: datetime | None = None) -> int:
    """Apply all rules; how many deliveries changed. Safe at any time and twice at once.

    A delivery without events counts as heard of when it was last updated.
    """
    now, changed = now or timezone.now(), 0
    for rule in AgeingRule.objects.filter(active=True).exclude(after_days=0):
        changed += _apply(rule, now)
    return changed


def _apply(rule: AgeingRule, now: datetime) -> int:
    own = AgeingRule.objects.filter(from_status=rule.from_status, carrier__isnull=False)
    exempt = [] if rule.carrier_id else list(own.values_list("carrier", flat=True))
    values = {
        "status": rule.to_status, "reason": rule.reason, "before": rule.from_status, "carrier": rule.carrier_id,
        "heard": now - timedelta(days=rule.after_days), "exempt": exempt, "limit": AT_ONCE,
    }  # fmt: skip
    changed, last = 0, AT_ONCE
    while last == AT_ONCE and rule.to_status != rule.from_status:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_AGE, values)
            aged = cursor.fetchall()
            tell_moved([Moved(pk, (rule.from_status, reason), (rule.to_status, rule.reason)) for pk, reason in aged])
        last = len(aged)
        changed += last
    if changed:
        summary = f"{changed} deliveries: {rule}"
        record(actor=None, verb="shipments.aged", target=rule, source="schedule", summary=summary)
    return changed
