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
from costs.models.budgets import Budget, BudgetAlert, CostAnomaly, MonthlyReport
from costs.models.ec2_other import ResourceUse, UsageMapping
from costs.models.estimates import FreeTier
from costs.models.prices import ExchangeRate, Price
from costs.models.reconciliation import Reconciliation
from costs.models.sums import CostDay, CostFunctionMonth
from costs.models.units import UnitBatch, UnitCost, UnitDay
from costs.models.what_if import ServerType, WhatIf

__all__ = [
    "BilledCost",
    "BilledDay",
    "BilledMonth",
    "BilledPeriod",
    "BilledResourceMonth",
    "Budget",
    "BudgetAlert",
    "CostAnomaly",
    "CostDay",
    "CostExplorerPull",
    "CostFunctionMonth",
    "CostImport",
    "DisplacedCost",
    "ExchangeRate",
    "FreeTier",
    "MonthlyReport",
    "Price",
    "Reconciliation",
    "ResourceUse",
    "ServerType",
    "UnitBatch",
    "UnitCost",
    "UnitDay",
    "UsageMapping",
    "WhatIf",
]
