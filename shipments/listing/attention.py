"""What makes a delivery need a person, as conditions: the list's filters and nothing else use them, and the counts of the
home page (`shipments.rollups`) say the same in SQL.

Open is what is still to be delivered: neither delivered nor cancelled nor on the way back. Heard of is the last event of
the carrier, or, where a carrier sends none, the last change here; the rules for silent deliveries go by the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from shipments.choices import EXCEPTIONS, RETURNED, Status
from shipments.models import Shipment, TrackingEvent

HEARD = Coalesce("last_event", "updated")


def start_of_day(day: date) -> datetime:
    """In the person's time zone. A moment can be compared by index; `created::date` cannot."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def end_of_day(day: date) -> datetime:
    """The first moment that is no longer in it."""
    return start_of_day(min(day, date.max - timedelta(days=1)) + timedelta(days=1))


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def still_open() -> Q:
    return not_ended() & ~Q(status=Status.RETURN_TO_SENDER)


def not_ended() -> Q:
    """The condition of the index `shipment_open`, word by word."""
    return ~Q(status=Status.DELIVERED) & ~Q(status=Status.CANCELLED)


def exceptions() -> Q:
    """Failed, delayed, held, on the way back or unknown; what is back at the sender is settled."""
    return Q(status__in=EXCEPTIONS) & ~Q(status=Status.RETURN_TO_SENDER, reason=RETURNED)


def narrowed(rows: QuerySet[Shipment], asked: Mapping[str, Any]) -> QuerySet[Shipment]:
    """By `late`, `due`, `silent_days` and their like together: each condition is said once, because PostgreSQL takes a
    repeated one for a rarer one and then chooses the wrong index."""
    if asked.get("late") == "delivered":
        rows = rows.filter(delivered__gt=F("promised"))
    promised, heard = _promised(asked), _between(asked, "silent_days")
    if promised or heard:
        rows = rows.alias(heard=HEARD) if heard else rows
        bounds = [("promised", promised), ("heard", heard)]
        rows = rows.filter(still_open(), *(Q((f"{name}__{way}", at)) for name, found in bounds for way, at in found))
    return rows


Bounds = list[tuple[str, datetime]]


def _promised(asked: Mapping[str, Any]) -> Bounds:
    bounds = _between(asked, "late_days")
    if not any(way == "lte" for way, _at in bounds) and (bounds or asked.get("late") == "now"):
        bounds.append(("lt", timezone.now()))
    today = timezone.localdate()
    if asked.get("due") == "today":
        bounds += [("gte", timezone.now()), ("lt", end_of_day(today))]
    elif asked.get("due") == "tomorrow":
        bounds += [("gte", end_of_day(today)), ("lt", end_of_day(today + timedelta(days=1)))]
    return bounds


def _between(asked: Mapping[str, Any], name: str) -> Bounds:
    """At least `name` days ago, and fewer than `name`_under."""
    least, under = asked.get(name), asked.get(f"{name}_under")
    bounds = [] if least is None else [("lte", days_ago(least))]
    return bounds + ([] if under is None else [("gt", days_ago(under))])


def tried_in_vain(since: datetime) -> Q:
    """A carrier told of a failed attempt since then."""
    failed = TrackingEvent.objects.filter(status=Status.DELIVERY_FAILED, at__gte=since, shipment=OuterRef("pk"))
    return Q(Exists(failed))
