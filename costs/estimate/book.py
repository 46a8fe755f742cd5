"""The price book and the rates as code reads them: what one usage costs, exact in Decimal.

cost = billed_ms x MB / 1,024 / 1,000 x price per GB-second + requests x price per request
     + billed_ms x MB of /tmp above 512 / 1,024 / 1,000 x its price

1 / 1,024,000 ends after 10 decimals, so every product here ends too: with enough digits nothing is ever rounded, and parts
add up to the whole to the last digit. Billed duration includes INIT since 2025-08-01 (AWS Lambda pricing), and each retry of
an asynchronous call is an invocation with a bill of its own. A usage is priced in the first tier; what the volume of an
account takes off is `account`'s business, never a function's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Context, Decimal, localcontext

from costs.choices import Meter
from costs.models import ExchangeRate, Price
from services_registry.pricing import Usage

EXACT = Context(prec=80)
MB_MS_PER_GB_S = Decimal(1_024_000)
Place = tuple[str, str, str, str]
"""Region, meter, item and architecture of a price."""


class PriceBook:
    """The prices known now, looked up by day. One query when made; make one per request or task.

    A single price with its source, and sums across tiers of other meters, are `price_of` and `tiered_usd`.
    """

    def __init__(self) -> None:
        self._prices: defaultdict[Place, dict[Decimal, list[tuple[date, Decimal]]]] = defaultdict(dict)
        rows = Price.objects.order_by("-valid_from")
        columns = ("region", "meter", "item", "architecture", "tier_from", "valid_from", "usd")
        for region, meter, item, architecture, tier_from, valid_from, usd in rows.values_list(*columns):
            tiers = self._prices[region, meter, item, architecture]
            tiers.setdefault(tier_from, []).append((valid_from, usd))

    def usd(self, region: str, meter: str, architecture: str, day: date, *, item: str = "") -> Decimal | None:
        """The price of one unit on a day, in the first tier; None when no price of that region and meter held then."""
        for place in ((region, meter, item, architecture), (region, meter, item, "")):
            price = _held(self._prices.get(place, {}).get(Decimal(0), ()), day)
            if price is not None:
                return price
        return None

    def tiers(self, region: str, meter: str, architecture: str, day: date) -> list[tuple[Decimal, Decimal]]:
        """(units a month from which it holds, price of one unit) on a day, the first tier first."""
        for place in ((region, meter, "", architecture), (region, meter, "", "")):
            held = ((start, _held(prices, day)) for start, prices in self._prices.get(place, {}).items())
            found = sorted((start, usd) for start, usd in held if usd is not None)
            if found:
                return found
        return []

    def cost(self, usage: Usage) -> Decimal | None:
        """USD of one usage, exact; None when a price that it needs is not known."""
        place, day = (usage.region, usage.architecture), usage.day
        per_gb_s, per_request = (self._of(place, meter, day) for meter in (Meter.GB_SECOND, Meter.REQUEST))
        per_tmp = self._of(place, Meter.EPHEMERAL_GB_SECOND, day) if usage.tmp_mb_ms else Decimal(0)
        if per_gb_s is None or per_request is None or per_tmp is None:
            return None
        with localcontext(EXACT):
            seconds = (usage.billed_mb_ms * per_gb_s + usage.tmp_mb_ms * per_tmp) / MB_MS_PER_GB_S
            return (seconds + usage.requests * per_request).normalize()

    def _of(self, place: tuple[str, str], meter: str, day: date) -> Decimal | None:
        region, architecture = place
        return self.usd(region, meter, architecture, day)


def _held(prices: Iterable[tuple[date, Decimal]], day: date) -> Decimal | None:
    """The one that held on a day; `prices` by day, the latest first."""
    return next((usd for valid_from, usd in prices if valid_from <= day), None)


def price_of(region: str, meter: str, day: date, *, item: str = "", architecture: str = "") -> Price | None:
    """The first-tier price that held on a day, with its source; None when none is known. One query."""
    known = Price.objects.filter(region=region, meter=meter, item=item, architecture=architecture, tier_from=0)
    return known.filter(valid_from__lte=day).order_by("-valid_from").first()


def tiered_usd(region: str, meter: str, day: date, units: Decimal, *, item: str = "") -> Decimal | None:
    """USD of a month's units across tiers (egress), exact; None when no price is known. One query."""
    rows = Price.objects.filter(region=region, meter=meter, item=item, valid_from__lte=day).order_by("valid_from")
    tiers: dict[Decimal, Decimal] = dict(rows.values_list("tier_from", "usd"))  # a later day's row replaces the earlier
    if Decimal(0) not in tiers:
        return None
    total, bounds = Decimal(0), [*sorted(tiers)]
    with localcontext(EXACT):
        for low, high in zip(bounds, [*bounds[1:], None], strict=True):
            if units > low:
                total += (units - low if high is None else min(units, high) - low) * tiers[low]
    return total


def estimate(usages: Sequence[Usage]) -> list[Decimal | None]:
    """USD of each usage (the registry's `CostEstimator`)."""
    book = PriceBook()
    return [book.cost(usage) for usage in usages]


def exact_sum(parts: Iterable[Decimal | None]) -> Decimal:
    """The sum of the known parts without any rounding."""
    with localcontext(EXACT):
        return sum((part for part in parts if part is not None), Decimal(0))


def in_currency(usd: Decimal, currency: str, day: date) -> Decimal | None:
    """USD in another currency at the rate that held on a day; None when no rate is known. Not rounded."""
    if currency == "USD":
        return usd
    rate = rate_on(currency, day)
    with localcontext(EXACT):
        return None if rate is None else usd * rate


def rate_on(currency: str, day: date) -> Decimal | None:
    """What one USD is worth on a day, None when no rate is known."""
    row = ExchangeRate.objects.filter(currency=currency, valid_from__lte=day).order_by("-valid_from").first()
    return row.per_usd if row else None


def euro_rate(day: date) -> Decimal | None:
    """EUR of one USD on a day (the registry's `EuroRate`)."""
    return rate_on("EUR", day)
