"""What makes a delivery need a person, as conditions: the list's filters and nothing else use them, and the counts of the
home page (`shipments.rollups`) say the same in SQL.

Open is what is still to be delivered: neither delivered nor cancelled nor on the way back. Heard of is the last event of
the carrier, or, where a carrier sends none, the last change here; the rules for silent deliveries go by the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import BooleanField, Case, DateTimeField, Exists, F, Func, OuterRef, Q, QuerySet, Value, When
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
    return ~Q(status__in=(Status.DELIVERED, Status.CANCELLED, Status.RETURN_TO_SENDER))


def not_ended() -> Q:
    """The condition of the index `shipment_open`, word by word: open, or on the way back and not there yet."""
    back = Q(status=Status.RETURN_TO_SENDER, reason=RETURNED)
    return ~Q(status=Status.DELIVERED) & ~Q(status=Status.CANCELLED) & ~back


def exceptions() -> Q:
    """Failed, delayed, held, on the way back or unknown; what is back at the sender is settled."""
    return Q(status__in=EXCEPTIONS) & not_ended()


def narrowed(rows: QuerySet[Shipment], asked: Mapping[str, Any]) -> QuerySet[Shipment]:
    """By `late`, `due`, `silent_days` and their like together: each condition is said once, because PostgreSQL takes a
    repeated one for a rarer one and then chooses the wrong index."""
    if asked.get("late") == "delivered":
        rows = rows.filter(delivered__gt=_deadline())
    least, under = asked.get("silent_days"), asked.get("silent_days_under")
    heard = [] if least is None else [Q(heard__lte=days_ago(least))]
    heard += [] if under is None else [Q(heard__gt=days_ago(under))]
    conditions = [*_promised(asked), *heard]
    rows = rows.alias(heard=HEARD) if heard else rows
    return rows.filter(still_open(), *conditions) if conditions else rows


def _promised(asked: Mapping[str, Any]) -> list[Q]:
    least, under = asked.get("late_days"), asked.get("late_days_under")
    found = [] if under is None else [promised_from(days_ago(under))]
    if least is not None or found or asked.get("late") == "now":
        found.append(promised_before(days_ago(least or 0)))
    today = timezone.localdate()
    if asked.get("due") == "today":
        found += [promised_from(timezone.now()), promised_before(end_of_day(today))]
    elif asked.get("due") == "tomorrow":
        found += [promised_from(end_of_day(today)), promised_before(end_of_day(today + timedelta(days=1)))]
    return found


class WholeDay(Func):
    """Whether a day was promised without a time: such a promise is stored as midnight UTC (`deliveries.course`)."""

    template = "(%(expressions)s AT TIME ZONE 'UTC')::time = '00:00'"
    output_field = BooleanField()


def promised_before(moment: datetime) -> Q:
    """The promise ended before `moment`. That of a whole day ends with the day, in the zone of the viewer.

    The first condition is one that the index decides; the second one looks at the few rows between.
    """
    day, whole = _as_stored(moment), Q(WholeDay("promised"))
    if day <= moment:
        return Q(promised__lt=moment) & (Q(promised__lt=day) | ~whole)
    return Q(promised__lt=day) & (Q(promised__lt=moment) | whole)


def promised_from(moment: datetime) -> Q:
    """The opposite, where something was promised."""
    day, whole = _as_stored(moment), Q(WholeDay("promised"))
    if day <= moment:
        return Q(promised__gte=day) & (Q(promised__gte=moment) | whole)
    return Q(promised__gte=moment) & (Q(promised__gte=day) | ~whole)


def _as_stored(moment: datetime) -> datetime:
    """The viewer's day at a moment, as a promise of that whole day is stored."""
    return datetime.combine(timezone.localdate(moment), time(), tzinfo=UTC)


def _deadline() -> Case:
    """When a promise ended, as a column; for what no index decides anyway."""
    ended = _EndOfDay("promised", Value(timezone.get_current_timezone_name()))
    return Case(When(Q(WholeDay("promised")), then=ended), default=F("promised"))


class _EndOfDay(Func):
    """Of a promise that is stored as midnight UTC, in a named zone."""

    arg_joiner = " AT TIME ZONE 'UTC' + interval '1 day') AT TIME ZONE "
    template = "((%(expressions)s)"
    output_field = DateTimeField()


def tried_in_vain(since: datetime) -> Q:
    """A carrier told of a failed attempt since then."""
    failed = TrackingEvent.objects.filter(status=Status.DELIVERY_FAILED, at__gte=since, shipment=OuterRef("pk"))
    return Q(Exists(failed))
