"""Estimated cost of usage: billed duration and requests times the dated price, exact in Decimal.

cost = billed_ms x MB / 1,024 / 1,000 x price per GB-second + requests x price per request

1 / 1,024,000 ends after 10 decimals, so every product here ends too: with enough digits nothing is ever rounded, and parts
add up to the whole to the last digit. Billed duration includes INIT since 2025-08-01 (AWS Lambda pricing). The first
price tier is used; the account-level free tier is subtracted by `free_tier_credit`, never per function.
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
FREE_REQUESTS = 1_000_000  # a month and account, AWS Lambda pricing page, checked 2026-09-20
FREE_GB_S = Decimal(400_000)


class PriceBook:
    """The prices known now, looked up by day. One query when made; make one per request or task.

    Prices of a meter that has several `item`s (a server's size) are looked up by `price_of`, with the rows themselves.
    """

    def __init__(self) -> None:
        self._prices: defaultdict[tuple[str, str, str], list[tuple[date, Decimal]]] = defaultdict(list)
        first_tier = Price.objects.filter(tier_from=0, item="").order_by("-valid_from")
        for row in first_tier.values_list("region", "meter", "architecture", "valid_from", "usd"):
            self._prices[row[:3]].append(row[3:])

    def usd(self, region: str, meter: str, architecture: str, day: date) -> Decimal | None:
        """The price of one unit on a day; None when no price of that region and meter held then."""
        for key in ((region, meter, architecture), (region, meter, "")):
            for valid_from, usd in self._prices.get(key, ()):
                if valid_from <= day:
                    return usd
        return None

    def cost(self, usage: Usage) -> Decimal | None:
        """USD of one usage, exact."""
        per_gb_s = self.usd(usage.region, Meter.GB_SECOND, usage.architecture, usage.day)
        per_request = self.usd(usage.region, Meter.REQUEST, usage.architecture, usage.day)
        if per_gb_s is None or per_request is None:
            return None
        with localcontext(EXACT):
            return (usage.billed_mb_ms / MB_MS_PER_GB_S * per_gb_s + usage.requests * per_request).normalize()


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


def free_tier_credit(*, requests: int, billed_mb_ms: Decimal, per_request: Decimal, per_gb_s: Decimal) -> Decimal:
    """USD that the free tier takes off one account's month: 1,000,000 requests and 400,000 GB-s, once per account."""
    with localcontext(EXACT):
        gb_s = min(FREE_GB_S, billed_mb_ms / MB_MS_PER_GB_S)
        return min(FREE_REQUESTS, requests) * per_request + gb_s * per_gb_s


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
