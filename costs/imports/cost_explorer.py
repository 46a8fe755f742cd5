"""Answers of Cost Explorer's GetCostAndUsage: one, or a list of pages. Amounts are text there and stay exact here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from costs.choices import BillSource, ChargeCategory
from costs.imports.layouts import CATEGORIES
from costs.imports.shapes import Bill, Key, Sums, UnreadableBillError
from costs.imports.sources import Opened

MOST_BYTES = 200 << 20
"""Bytes of the largest answer that is read: it is parsed in memory."""
_FIELDS = {
    "SERVICE": "service", "USAGE_TYPE": "usage_type", "LINKED_ACCOUNT": "account", "REGION": "region",
    "OPERATION": "operation", "RECORD_TYPE": "line_type", "RESOURCE_ID": "resource",
}  # fmt: skip
_METRICS = {
    "UsageQuantity": "quantity", "UnblendedCost": "billed_cost", "AmortizedCost": "effective_cost",
    "BlendedCost": "blended_cost",
}  # fmt: skip
_ORDER = ("quantity", "billed_cost", "effective_cost", "list_cost", "contracted_cost", "blended_cost")
_NAMES_OF_RECORDS = {  # RECORD_TYPE as Cost Explorer writes it, by what a CUR calls it
    "Usage": "Usage", "DiscountedUsage": "DiscountedUsage", "Tax": "Tax", "Credit": "Credit", "Refund": "Refund",
    "SavingsPlanCoveredUsage": "SavingsPlanCoveredUsage", "SavingsPlanNegation": "SavingsPlanNegation",
    "SavingsPlanRecurringFee": "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee": "SavingsPlanUpfrontFee",
    "Recurring reservation fee": "RIFee", "Upfront reservation fee": "Fee", "Support fee": "Fee", "Other": "Fee",
}  # fmt: skip


def read_answer(file: Opened, *, account: str, capability_tag: str) -> Bill:
    """Sum an answer in a JSON file.

    Raises:
        UnreadableBillError: not such an answer, or a value in it cannot be read.
    """
    if file.size > MOST_BYTES:
        raise UnreadableBillError(_("An answer of Cost Explorer is not that large (%s bytes).") % f"{file.size:,}")
    try:
        content = json.loads(file.path.read_bytes(), parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise UnreadableBillError(_("This is no JSON: %s") % error) from error
    return bill_of(content, account=account, capability_tag=capability_tag)


def bill_of(content: Any, *, account: str, capability_tag: str) -> Bill:
    """Sum one answer, or a list of its pages. `account` is the one that was asked; answers do not name it."""
    pages = content if isinstance(content, list) else [content]
    if not pages or not all(isinstance(page, Mapping) and "ResultsByTime" in page for page in pages):
        raise UnreadableBillError(_("This JSON is no answer of Cost Explorer: it has no ResultsByTime."))
    groups = [
        _name_of(group) for group in next((p["GroupDefinitions"] for p in pages if p.get("GroupDefinitions")), [])
    ]
    bill = Bill("Cost Explorer", BillSource.COST_EXPLORER, detail=",".join(groups)[:80], by_day=True)
    first, end = date.max, date.min
    for page in pages:
        for result in page["ResultsByTime"]:
            period = _period(result)
            first, end = min(first, period[0]), max(end, period[1])
            _take(bill, result, period, groups, account=account, tag=capability_tag)
    if first < end:
        bill.asked = first, end
    if not any(groups):
        bill.notes.append(_("The answer is not grouped by anything: it has only totals."))
    return bill


def _name_of(group: Mapping[str, str]) -> str:
    kind, key = group.get("Type", ""), group.get("Key", "")
    return key if kind == "DIMENSION" else f"{kind}:{key}"


def _period(result: Mapping[str, Any]) -> tuple[date, date]:
    try:
        start, end = result["TimePeriod"]["Start"], result["TimePeriod"]["End"]
        day = date.fromisoformat(start[:10])
        until = date.fromisoformat(end[:10])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableBillError(_("A result without a readable TimePeriod: %s") % error) from error
    if "T" in end and not end.rstrip("Z").endswith("00:00:00"):
        until += timedelta(days=1)
    return day, max(until, day + timedelta(days=1))


def _take(
    bill: Bill, result: Mapping[str, Any], period: tuple[date, date], groups: Sequence[str], *, account: str, tag: str
) -> None:
    estimated = bool(result.get("Estimated"))
    entries = result.get("Groups") or []
    if not entries and not groups and result.get("Total"):
        entries = [{"Keys": [], "Metrics": result["Total"]}]
    for entry in entries:
        sums, currency, unit = _sums(entry.get("Metrics") or {}, period[0])
        fields = _fields(groups, entry.get("Keys") or [], tag=tag)
        bill.rows += 1
        key = Key(
            provider="AWS", billing_account=account, month=period[0].replace(day=1), day=period[0], until=period[1],
            account=fields.get("account", ""), service=fields.get("service", ""), service_code="",
            usage_type=fields.get("usage_type", ""), operation=fields.get("operation", ""),
            region=fields.get("region", ""), resource=fields.get("resource", ""),
            charge_category=_category(fields), line_type=fields.get("line_type", ""), currency=currency,
            capability=fields.get("capability", ""), unit=unit, estimated=estimated,
        )  # fmt: skip
        bill.add(key, sums, 1)


def _fields(groups: Sequence[str], keys: Sequence[str], *, tag: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for group, value in zip(groups, keys, strict=False):
        if group in _FIELDS:
            found[_FIELDS[group]] = _NAMES_OF_RECORDS.get(value, value) if group == "RECORD_TYPE" else value
        elif group == f"TAG:{tag}":
            found["capability"] = value.removeprefix(f"{tag}$")
    return found


def _category(fields: Mapping[str, str]) -> str:
    if fields.get("service") == "Tax":
        return ChargeCategory.TAX
    return CATEGORIES.get(fields.get("line_type", ""), ChargeCategory.USAGE)


def _sums(metrics: Mapping[str, Mapping[str, str]], day: date) -> tuple[Sums, str, str]:
    values: dict[str, Decimal] = {}
    currency = unit = ""
    for metric, name in _METRICS.items():
        if metric not in metrics:
            continue
        amount = metrics[metric].get("Amount", "")
        try:
            values[name] = Decimal(amount)
        except InvalidOperation as error:
            raise UnreadableBillError(_("%(day)s: %(metric)s is no number: %(amount)s") % {
                "day": day, "metric": metric, "amount": repr(amount)[:60]}) from error  # fmt: skip
        said = str(metrics[metric].get("Unit", ""))
        unit, currency = (said, currency) if name == "quantity" else (unit, said)
    if "billed_cost" not in values:
        raise UnreadableBillError(_("%s: no UnblendedCost. Ask Cost Explorer for that metric.") % day)
    return [values.get(name) for name in _ORDER], currency or "USD", "" if unit == "N/A" else unit
