"""Which column of which format means what. Column names are compared in one spelling (`spelled`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from costs.choices import BillSource, ChargeCategory

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


def spelled(column: str) -> str:
    """One spelling for `lineItem/UnblendedCost`, `line_item_unblended_cost`, `BilledCost` and `billedcost` alike."""
    return _OTHER.sub("_", _CAMEL.sub("_", column.strip()).lower()).strip("_")


@dataclass(frozen=True, slots=True)
class Part:
    """A column that is part of a sum: of all lines, only of lines of these types, or of all but these.

    `unless`: not of lines of this type where that column is filled.
    """

    column: str
    only: Sequence[str] = ()
    but: Sequence[str] = ()
    unless: tuple[str, str] | None = None
    minus: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How one format is read. Columns in the one spelling; of several the first that is not empty counts."""

    format: str
    source: BillSource
    texts: Mapping[str, Sequence[str]]  # field of Key: columns
    sums: Mapping[str, Sequence[Part]]
    start: str
    end: str
    month: str
    constants: Mapping[str, str] = field(default_factory=dict)  # fields of Key that no column says
    tags: Sequence[str] = ()  # columns that hold all tags as JSON or a map
    maps: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # field of Key: (map column, its key)
    categories: Mapping[str, str] = field(default_factory=dict)  # by line type; else the text `charge_category`
    end_included: bool = False


# --- FOCUS ----------------------------------------------------------------------------------------------------------

_FOCUS_NEEDS = frozenset({"billed_cost", "charge_period_start", "billing_currency"})
_FOCUS_1_1 = frozenset({"sku_meter", "sku_price_details", "service_subcategory", "commitment_discount_quantity"})
_FOCUS_1_2 = frozenset({"invoice_id", "billing_account_type", "sub_account_type", "pricing_currency"})


def focus(columns: frozenset[str]) -> Layout | None:
    """FOCUS 1.0, 1.1 or 1.2, whoever wrote it."""
    if not columns >= _FOCUS_NEEDS:
        return None
    version = "1.2" if columns & _FOCUS_1_2 else "1.1" if columns & _FOCUS_1_1 else "1.0"
    return Layout(
        format=f"FOCUS {version}",
        source=BillSource.FOCUS,
        start="charge_period_start",
        end="charge_period_end",
        month="billing_period_start",
        texts={
            "provider": ["provider_name", "service_provider_name", "publisher_name"],
            "billing_account": ["billing_account_id"],
            "account": ["sub_account_id"],
            "service": ["service_name"],
            "service_code": ["x_service_code"],
            "usage_type": ["x_usage_type", "sku_meter"],
            "operation": ["x_operation"],
            "region": ["region_id", "region"],
            "resource": ["resource_id"],
            "charge_category": ["charge_category"],
            "line_type": ["charge_class"],
            "currency": ["billing_currency"],
            "unit": ["consumed_unit", "usage_unit", "pricing_unit"],
        },
        sums={
            "quantity": [Part("consumed_quantity")] if "consumed_quantity" in columns else [Part("usage_quantity")],
            "billed_cost": [Part("billed_cost")],
            "effective_cost": [Part("effective_cost")],
            "list_cost": [Part("list_cost")],
            "contracted_cost": [Part("contracted_cost")],
        },
        tags=["tags"],
    )


# --- Cost and Usage Report ------------------------------------------------------------------------------------------

_CUR_NEEDS = frozenset({"line_item_unblended_cost", "line_item_usage_start_date"})
_CUR_2 = frozenset({"product", "bill_payer_account_name", "line_item_usage_account_name", "resource_tags"})
CATEGORIES: Mapping[str, str] = {
    "Usage": ChargeCategory.USAGE, "DiscountedUsage": ChargeCategory.USAGE,
    "SavingsPlanCoveredUsage": ChargeCategory.USAGE, "Tax": ChargeCategory.TAX, "Fee": ChargeCategory.PURCHASE,
    "RIFee": ChargeCategory.PURCHASE, "SavingsPlanUpfrontFee": ChargeCategory.PURCHASE,
    "SavingsPlanRecurringFee": ChargeCategory.PURCHASE, "SavingsPlanNegation": ChargeCategory.ADJUSTMENT,
    "Credit": ChargeCategory.CREDIT, "Refund": ChargeCategory.CREDIT, "BundledDiscount": ChargeCategory.CREDIT,
    "EdpDiscount": ChargeCategory.CREDIT, "PrivateRateDiscount": ChargeCategory.CREDIT,
    "RiVolumeDiscount": ChargeCategory.CREDIT, "SppDiscount": ChargeCategory.CREDIT,
}  # fmt: skip
# What is spread over time instead of counted when it was paid (AWS, amortized cost from a CUR).
_SPREAD = (
    "SavingsPlanCoveredUsage", "SavingsPlanNegation", "SavingsPlanUpfrontFee", "SavingsPlanRecurringFee",
    "DiscountedUsage", "RIFee",
)  # fmt: skip
_AMORTIZED = (
    Part("line_item_unblended_cost", but=_SPREAD, unless=("Fee", "reservation_reservation_arn")),
    Part("savings_plan_savings_plan_effective_cost", only=["SavingsPlanCoveredUsage"]),
    Part("savings_plan_total_commitment_to_date", only=["SavingsPlanRecurringFee"]),
    Part("savings_plan_used_commitment", only=["SavingsPlanRecurringFee"], minus=True),
    Part("reservation_effective_cost", only=["DiscountedUsage"]),
    Part("reservation_unused_amortized_upfront_fee_for_billing_period", only=["RIFee"]),
    Part("reservation_unused_recurring_fee", only=["RIFee"]),
)


def cur(columns: frozenset[str]) -> Layout | None:
    """The legacy Cost and Usage Report and CUR 2.0 (Data Exports), as CSV or parquet."""
    if not columns >= _CUR_NEEDS:
        return None
    return Layout(
        format="CUR 2.0" if columns & _CUR_2 else "CUR",
        source=BillSource.CUR,
        start="line_item_usage_start_date",
        end="line_item_usage_end_date",
        month="bill_billing_period_start_date",
        constants={"provider": "AWS"},
        texts={
            "billing_account": ["bill_payer_account_id"],
            "account": ["line_item_usage_account_id"],
            "service": ["product_product_name", "product_servicename", "line_item_product_code"],
            "service_code": ["line_item_product_code"],
            "usage_type": ["line_item_usage_type"],
            "operation": ["line_item_operation"],
            "region": ["product_region_code", "product_region"],
            "resource": ["line_item_resource_id"],
            "line_type": ["line_item_line_item_type"],
            "currency": ["line_item_currency_code"],
            "unit": ["pricing_unit"],
        },
        sums={
            "quantity": [Part("line_item_usage_amount")],
            "billed_cost": [Part("line_item_unblended_cost")],
            "effective_cost": _AMORTIZED,
            "list_cost": [Part("pricing_public_on_demand_cost")],
            "contracted_cost": [],
            "blended_cost": [Part("line_item_blended_cost")],
        },
        tags=["resource_tags"],
        maps={"service": ("product", "product_name")},
        categories=CATEGORIES,
    )


LAYOUTS = (focus, cur)


def layout_of(header: Sequence[str]) -> Layout | None:
    """The layout of a table with these columns; None when no format has them."""
    columns = frozenset(map(spelled, header))
    return next((layout for make in LAYOUTS if (layout := make(columns))), None)
