"""What the telemetry page and its API show: the doors, what came in by each, and what was refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import django_filters
from django.conf import settings
from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import charts
from core.timerange import TimeRange
from services_registry.choices import Door
from services_registry.models import DoorHour, FirehoseKey, LogPosition, RejectedLine

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

QUIET = timedelta(hours=26)
"""A door that brought something before and then nothing for so long is worth a look."""
_SUMS = ("lines", "reports", "new", "known", "rejected", "timed", "lag_s")


@dataclass(frozen=True, slots=True)
class DoorFacts:
    """One door over a time. `lag_s`: how long after their end new reports came in, on average; None: none state it."""

    door: str
    label: _StrOrPromise
    state: _StrOrPromise
    tone: str
    lines: int
    reports: int
    new: int
    known: int
    rejected: int
    last_seen: datetime | None
    lag_s: float | None
    most_lag_s: float | None

    @property
    def average_lag(self) -> timedelta | None:
        return None if self.lag_s is None else timedelta(seconds=round(self.lag_s))

    @property
    def longest_lag(self) -> timedelta | None:
        return None if self.most_lag_s is None else timedelta(seconds=round(self.most_lag_s))


class RejectedLineFilter(django_filters.FilterSet):
    door = django_filters.ChoiceFilter(choices=Door.choices, empty_label=_("any"), label=_("door"))
    q = django_filters.CharFilter(method="containing", label=_("reason or line contains"))
    after = django_filters.DateFilter(field_name="at", lookup_expr="date__gte", label=_("since"))

    class Meta:
        model = RejectedLine
        fields = ["door", "q", "after"]

    def containing(self, queryset: QuerySet[RejectedLine], name: str, value: str) -> QuerySet[RejectedLine]:
        return queryset.filter(Q(reason__contains=value.strip()) | Q(line__contains=value.strip()))


def doors(period: TimeRange) -> list[DoorFacts]:
    """Every door, also those by which nothing has come yet. `last_seen` looks beyond the time."""
    seen = dict(DoorHour.objects.order_by().values_list("door").annotate(Max("last_seen")))
    rows = (
        DoorHour.objects.filter(hour__gte=period.start, hour__lt=period.end)
        .order_by()
        .values("door")
        .annotate(**{name: Sum(name) for name in _SUMS}, most_lag_s=Max("most_lag_s"))
    )
    sums: dict[str, Any] = {row["door"]: row for row in rows}
    return [_facts(door, label, sums.get(door, {}), seen.get(door)) for door, label in Door.choices]


def _facts(door: str, label: _StrOrPromise, sums: dict[str, Any], last_seen: datetime | None) -> DoorFacts:
    state, tone = _state(door, last_seen)
    timed = sums.get("timed", 0) if door != Door.FILE else 0  # files bring in the past
    return DoorFacts(
        door=door, label=label, state=state, tone=tone, last_seen=last_seen,
        lag_s=sums["lag_s"] / timed if timed else None, most_lag_s=sums["most_lag_s"] if timed else None,
        **{name: int(sums.get(name, 0)) for name in ("lines", "reports", "new", "known", "rejected")},
    )  # fmt: skip


def _state(door: str, last_seen: datetime | None) -> tuple[_StrOrPromise, str]:
    if last_seen is not None:
        fresh = timezone.now() - last_seen < QUIET
        if fresh or door == Door.FILE:
            return _("in use"), "green"
        return (_("quiet"), "yellow") if door != Door.TAIL else (_("no calls lately"), "secondary")
    if door == Door.FIREHOSE and FirehoseKey.objects.filter(revoked__isnull=True).exists():
        return _("waiting for the first delivery"), "blue"
    if door == Door.PULL and not settings.LOG_PULL:
        return _("switched off"), "secondary"
    return _("not used yet"), "secondary"


def coming_in(period: TimeRange) -> charts.Figure | None:
    """New reports by door, an hour or a UTC day each; None where nothing came in."""
    rows = DoorHour.objects.filter(hour__gte=period.start, hour__lt=period.end).values_list("door", "hour", "new")
    steps: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
    for door, hour, new in rows.order_by("hour"):
        at = hour.astimezone(UTC) if period.hourly else hour.astimezone(UTC).replace(hour=0)
        steps[at][door] = steps[at].get(door, 0) + new
    if not steps:
        return None
    used = {door for values in steps.values() for door in values}
    series = {
        str(label): [values.get(door, 0) for values in steps.values()] for door, label in Door.choices if door in used
    }
    return charts.bars([at.isoformat() for at in steps], series, y_title=str(_("new reports")))


def reading_problems(most: int = 20) -> Iterable[LogPosition]:
    """Logs that the last pull could not read."""
    return LogPosition.objects.exclude(problem="").select_related("function").order_by("-checked")[:most]
