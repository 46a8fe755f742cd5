"""What rules look at: the latest days of functions, read for many functions at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from functools import cached_property

from django.db import connection

from services_registry import pricing
from services_registry.choices import Origin
from services_registry.function_facts import EXACT
from services_registry.models import Function, FunctionDay, FunctionHour, LayerVersion
from services_registry.package_sizes import ZIP, FunctionSize, Sizes
from services_registry.telemetry.histogram import Histogram, merge

DAYS = 14
"""UTC days before today that rules see, and today so far."""
BUSY_DAYS = 7
HOUR_MS = 3_600_000.0
MB_MS_PER_GB_S = Decimal(1_024_000)
DAYS_OF_MONTH = 30
SERVER = "t4g.small"
"""The small always-on server that functions are held against."""


@dataclass(slots=True)
class DayFacts:
    """One UTC day of one function. Days of which nothing was measured are left out."""

    day: date
    calls: int = 0
    errors: int = 0
    timeouts: int = 0
    billed_mb_ms: Decimal = Decimal(0)
    sample: bool = False
    histograms: list[bytes | memoryview] = field(default_factory=list)

    @property
    def timeout_share(self) -> float:
        return self.timeouts / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class BusyDay:
    """How much of one whole UTC day something of the function was running.

    `share` adds up each hour's running time, at most the whole hour, so that many calls at once do not look like a long
    day. `peak` is how many ran at once on average in its busiest hour. `hours` is how many hours had calls.
    """

    day: date
    share: float
    peak: float
    hours: int
    calls: int
    sample: bool


_BUSY = f"""
WITH hours AS (
    SELECT function_id, hour, sum(duration_ms) AS ms, sum(invocations) AS calls, bool_or(origin = %s) AS sample
    FROM {FunctionHour._meta.db_table} WHERE function_id = ANY(%s) AND hour >= %s AND hour < %s
    GROUP BY function_id, hour
)
SELECT function_id, (hour AT TIME ZONE 'UTC')::date AS day, sum(least(ms, %s)), max(ms), count(*), sum(calls), bool_or(sample)
FROM hours GROUP BY function_id, day ORDER BY day
"""  # noqa: S608  # a name of ours


class FleetPackages:
    """Unpacked sizes of packages, read when a rule first asks; of all functions, because they teach each other's ratios."""

    @cached_property
    def _sizes(self) -> Sizes:
        functions = Function.objects.filter(package_type=ZIP).only("code_sha256", "code_bytes", "runtime", "layers")
        return Sizes(LayerVersion.objects.select_related("layer"), list(functions))

    def of(self, function: Function) -> FunctionSize | None:
        """None for container images, which have another limit."""
        return self._sizes.of_function(function) if function.package_type == ZIP else None


@dataclass(slots=True)
class Measured:
    """One function and what it did. `days` and `busy` run from old to new; only `days` holds today."""

    function: Function
    today: date
    days: list[DayFacts] = field(default_factory=list)
    busy: list[BusyDay] = field(default_factory=list)
    usd_per_gb_s: Decimal | None = None
    usd_per_call: Decimal | None = None
    usd_per_server_hour: Decimal | None = None
    """Of one `SERVER` in its region."""
    packages: FleetPackages = field(default_factory=FleetPackages)

    def since(self, days: int) -> list[DayFacts]:
        """The measured ones of the last `days` UTC days and today."""
        return [entry for entry in self.days if entry.day >= self.today - timedelta(days=days)]

    def durations(self, days: int) -> Histogram:
        return merge(data for entry in self.since(days) for data in entry.histograms)

    def cost(self, billed_mb_ms: Decimal, calls: int = 0) -> Decimal | None:
        """USD at today's prices, exact; None when they are not known."""
        if self.usd_per_gb_s is None or self.usd_per_call is None:
            return None
        with localcontext(EXACT):
            return billed_mb_ms / MB_MS_PER_GB_S * self.usd_per_gb_s + calls * self.usd_per_call

    def a_month(self, usd: Decimal | None, days: int) -> Decimal | None:
        """What came up in so many days, over 30 days. 30 / days need not end, so it is rounded after 30 decimals."""
        if usd is None:
            return None
        with localcontext(EXACT):
            return (usd * DAYS_OF_MONTH / days).quantize(Decimal(1).scaleb(-30))


def measure(functions: Sequence[Function], now: datetime, packages: FleetPackages) -> list[Measured]:
    """Facts of these functions, in their order: two queries for what was measured, and the prices of today."""
    today = now.astimezone(UTC).date()
    found = {function.pk: Measured(function, today, packages=packages) for function in functions}
    _add_days(found, today)
    _add_busy(found, today)
    _add_prices(list(found.values()), today)
    return [found[function.pk] for function in functions]


def _add_days(found: dict[int, Measured], today: date) -> None:
    days: defaultdict[int, dict[date, DayFacts]] = defaultdict(dict)
    rows = FunctionDay.objects.filter(function__in=found, day__gt=today - timedelta(days=DAYS + 1), day__lte=today)
    names = ("function_id", "day", "origin", "invocations", "errors", "timeouts", "billed_mb_ms", "histogram")
    for pk, day, origin, calls, errors, timeouts, billed, histogram in rows.order_by("day").values_list(*names):
        entry = days[pk].setdefault(day, DayFacts(day))
        entry.calls += calls
        entry.errors += errors
        entry.timeouts += timeouts
        entry.billed_mb_ms += billed
        entry.sample = entry.sample or origin == Origin.SAMPLE
        entry.histograms.append(histogram)
    for pk, entries in days.items():
        found[pk].days = list(entries.values())


def _add_busy(found: dict[int, Measured], today: date) -> None:
    end = datetime.combine(today, time(), UTC)
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, [Origin.SAMPLE, list(found), end - timedelta(days=BUSY_DAYS), end, HOUR_MS])
        for function_id, day, busy, peak, hours, calls, sample in cursor.fetchall():
            share, at_once = busy / (24 * HOUR_MS), peak / HOUR_MS
            found[function_id].busy.append(BusyDay(day, share, at_once, hours, int(calls), sample))


def _add_prices(entries: Sequence[Measured], today: date) -> None:
    """Prices of one GB-second, of one call and of a server, asked once for each region and architecture."""
    kinds = sorted({(entry.function.region, entry.function.architecture) for entry in entries})
    gb_s = pricing.estimate([pricing.Usage(*kind, today, 0, MB_MS_PER_GB_S) for kind in kinds])
    calls = pricing.estimate([pricing.Usage(*kind, today, 1, Decimal(0)) for kind in kinds])
    prices = dict(zip(kinds, zip(gb_s, calls, strict=True), strict=True))
    servers = {region: pricing.server_price(region, SERVER, today) for region in {kind[0] for kind in kinds}}
    for entry in entries:
        entry.usd_per_server_hour = servers[entry.function.region]
        entry.usd_per_gb_s, entry.usd_per_call = prices[entry.function.region, entry.function.architecture]
