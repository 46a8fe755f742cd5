"""What the volume of a whole account takes off: cheaper price tiers and the free tier, as lines of the account.

Both run over a calendar month (UTC) and start anew with the next. A day's line is what the month came to with that day,
less what it came to before it; so days, months and functions each add up to the same whole. No function ever gets a share:
which of them was "in the free tier" is a matter of the order of calls, not of what they did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from costs.choices import AccountLineKind, Meter
from costs.estimate.book import EXACT, MB_MS_PER_GB_S, PriceBook
from costs.models import FreeTier


@dataclass(frozen=True, slots=True)
class Used:
    """What all functions of one account, region and architecture used on one day."""

    account: str
    region: str
    architecture: str
    day: date
    requests: int
    mb_ms: Decimal


@dataclass(frozen=True, slots=True)
class AccountLine:
    """`usd` is never above zero, and never takes off more than the account's calls of that day cost."""

    account: str
    kind: AccountLineKind
    day: date
    usd: Decimal


@dataclass(slots=True)
class _Month:
    """How far an account has come in a month."""

    mb_ms: defaultdict[tuple[str, str], Decimal]
    free_requests: Decimal
    free_mb_ms: Decimal


class FreeTiers:
    """Which account has a free tier when. One query when made."""

    def __init__(self) -> None:
        self._rows = list(FreeTier.objects.order_by("-valid_from"))

    def of(self, account: str, month: date) -> FreeTier | None:
        return next((row for row in self._rows if row.account == account and row.holds_in(month)), None)


def account_lines(used: Iterable[Used], book: PriceBook, free: FreeTiers, first: date) -> Iterator[AccountLine]:
    """The lines of days from `first` on. `used` has to begin with the month of `first`.

    Within a day the free tier is used up region by region in the order of their names: the bill does not say in which.
    """
    accounts: defaultdict[str, list[Used]] = defaultdict(list)
    for part in used:
        accounts[part.account].append(part)
    for account, parts in sorted(accounts.items()):
        yield from _lines_of(account, sorted(parts, key=_order), book, free, first)


def _order(part: Used) -> tuple[date, str, str]:
    return part.day, part.region, part.architecture


def _lines_of(
    account: str, parts: Sequence[Used], book: PriceBook, free: FreeTiers, first: date
) -> Iterator[AccountLine]:
    months: dict[date, _Month] = {}
    for part in parts:
        start = part.day.replace(day=1)
        if start not in months:
            months[start] = _begun(free.of(account, start))
        month = months[start]
        with localcontext(EXACT):
            off = _volume_discount(part, month, book), _free(part, month, book)
        for kind, usd in zip((AccountLineKind.VOLUME, AccountLineKind.FREE_TIER), off, strict=True):
            if usd and part.day >= first:
                yield AccountLine(account, kind, part.day, -usd)


def _begun(free: FreeTier | None) -> _Month:
    if free is None:
        return _Month(defaultdict(Decimal), Decimal(0), Decimal(0))
    return _Month(defaultdict(Decimal), Decimal(free.requests), free.gb_seconds * MB_MS_PER_GB_S)


def _volume_discount(part: Used, month: _Month, book: PriceBook) -> Decimal:
    """What the day's GB-seconds cost less than in the first tier."""
    place = part.region, part.architecture
    before = month.mb_ms[place]
    month.mb_ms[place] = after = before + part.mb_ms
    tiers = book.tiers(part.region, Meter.GB_SECOND, part.architecture, part.day)
    starts = [start * MB_MS_PER_GB_S for start, _usd in tiers]
    saved = Decimal(0)
    for place_of, (_start, usd) in enumerate(tiers):
        end = starts[place_of + 1] if place_of + 1 < len(starts) else after
        inside = min(after, end) - max(before, starts[place_of])
        if inside > 0:
            saved += inside / MB_MS_PER_GB_S * (tiers[0][1] - usd)
    return saved


def _free(part: Used, month: _Month, book: PriceBook) -> Decimal:
    """What is left of the free tier, up to what was used. What has no known price uses nothing up: it is in no sum."""
    per_request = book.usd(part.region, Meter.REQUEST, part.architecture, part.day)
    per_gb_s = book.usd(part.region, Meter.GB_SECOND, part.architecture, part.day)
    if per_request is None or per_gb_s is None:
        return Decimal(0)
    requests, mb_ms = min(month.free_requests, Decimal(part.requests)), min(month.free_mb_ms, part.mb_ms)
    month.free_requests -= requests
    month.free_mb_ms -= mb_ms
    return requests * per_request + mb_ms / MB_MS_PER_GB_S * per_gb_s
