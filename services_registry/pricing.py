"""What usage costs, asked of whoever knows prices.

The registry stands below the app that knows prices; that app registers its estimator at start-up, and pages here ask it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Usage:
    """What one function used on one day: all that its price depends on."""

    region: str
    architecture: str
    day: date
    requests: int
    billed_mb_ms: Decimal  # billed milliseconds x configured MB, a whole number
    tmp_mb_ms: Decimal = Decimal(0)  # the same of /tmp beyond what every function has, see `tmp_mb_ms`


FREE_TMP_MB = 512
"""MB of ephemeral storage that cost nothing (AWS Lambda pricing)."""


def tmp_mb_ms(ephemeral_mb: int, billed_ms: int) -> Decimal:
    """Billed milliseconds x MB of /tmp above the free 512 MB."""
    return Decimal(max(0, ephemeral_mb - FREE_TMP_MB) * billed_ms)


class CostEstimator(Protocol):
    def __call__(self, usages: Sequence[Usage]) -> list[Decimal | None]:
        """USD for each usage, exact, in the same order; None where no price is known."""
        ...


class EuroRate(Protocol):
    def __call__(self, day: date) -> Decimal | None:
        """EUR of one USD on a day; None when no rate is known."""
        ...


class ServerPrice(Protocol):
    def __call__(self, region: str, size: str, day: date) -> Decimal | None:
        """USD an hour of one always-on server, such as t4g.small; None where no price is known."""
        ...


_registered: list[CostEstimator] = []
_server_price: list[ServerPrice] = []
_euro_rate: list[EuroRate] = []


def register_estimator(estimator: CostEstimator) -> None:
    _registered[:] = [estimator]


def estimate(usages: Sequence[Usage]) -> list[Decimal | None]:
    """USD for each usage; all None when nobody registered an estimator."""
    return _registered[0](usages) if _registered else [None] * len(usages)


def register_euro_rate(rate: EuroRate) -> None:
    _euro_rate[:] = [rate]


def euro_rate(day: date) -> Decimal | None:
    """EUR of one USD on a day; None when nobody registered a rate, or knows one for it."""
    return _euro_rate[0](day) if _euro_rate else None


def register_server_price(price: ServerPrice) -> None:
    _server_price[:] = [price]


def server_price(region: str, size: str, day: date) -> Decimal | None:
    """USD an hour of one server; None when nobody registered prices, or knows this one."""
    return _server_price[0](region, size, day) if _server_price else None


def total(usages: Sequence[Usage]) -> Decimal | None:
    """The exact sum of the known parts; None when no part is known."""
    known = [cost for cost in estimate(usages) if cost is not None]
    return sum(known, Decimal(0)) if known else None
