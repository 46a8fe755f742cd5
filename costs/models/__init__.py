"""Tables of costs."""

from costs.models.billed import (
    BilledCost,
    BilledDay,
    BilledMonth,
    BilledPeriod,
    BilledResourceMonth,
    CostExplorerPull,
    CostImport,
    DisplacedCost,
)
from costs.models.prices import ExchangeRate, Price

__all__ = [
    "BilledCost",
    "BilledDay",
    "BilledMonth",
    "BilledPeriod",
    "BilledResourceMonth",
    "CostExplorerPull",
    "CostImport",
    "DisplacedCost",
    "ExchangeRate",
    "Price",
]
