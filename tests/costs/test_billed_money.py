"""What bills say stands on the overview as a series of its own, is held against billed budgets, and has its unusual days."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from core.notices.models import Notice
from core.webhooks import outbox
from costs import sums
from costs.anomalies.finding import look
from costs.billed_month import billed_month
from costs.budgets.services import create_budget
from costs.budgets.standing import standings
from costs.budgets.watching import watch
from costs.estimate import exact_sum
from costs.models import Budget, CostAnomaly
from services_registry.models import Function
from tests.costs.usage import usage

pytestmark = pytest.mark.usefixtures("prices")
TODAY = timezone.now().date()
LAST = TODAY - timedelta(days=1)
MONTH = TODAY.replace(day=1)
HEADER = [
    "BilledCost",
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "ProviderName",
    "RegionId",
    "ResourceId",
    "ServiceName",
    "ServiceCategory",
    "SubAccountId",
    "SkuId",
    "x_UsageType",
    "ConsumedQuantity",
    "ConsumedUnit",
]
TYPES = (
    ("AmazonEC2", "NatGateway-Bytes", "30.000000001"),
    ("AmazonEC2", "DataTransfer-Out", "4.1"),
    ("AWSLambda", "Lambda-GB-Second", "7.7"),
)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: Any) -> None:
    monkeypatch.setattr(outbox, "_send", lambda task, argument: None)


def take_in(folder: Path, days: int = 75, spike: Decimal = Decimal(1)) -> dict[date, dict[str, Decimal]]:
    """A bill of the days up to yesterday, each month a file; on the day before yesterday NAT bytes cost `spike` times as much."""
    dice = random.Random(4)
    told: dict[date, dict[str, Decimal]] = {}
    files: dict[str, list[list[str]]] = {}
    for back in range(days, 0, -1):
        day = TODAY - timedelta(days=back)
        start, end = day.replace(day=1), (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        told[day] = {}
        for service, usage_type, amount in TYPES:
            cost = Decimal(amount) * (spike if usage_type.startswith("Nat") and back == 2 else 1)
            cost += Decimal(dice.randrange(10**6)).scaleb(-9)
            told[day][usage_type] = cost
            row = dict.fromkeys(HEADER, "") | {
                "BilledCost": str(cost), "EffectiveCost": str(cost), "ListCost": str(cost), "ContractedCost": str(cost),
                "BillingAccountId": "111122223333", "SubAccountId": "123456789012", "BillingCurrency": "USD",
                "BillingPeriodStart": f"{start}T00:00:00Z", "BillingPeriodEnd": f"{end}T00:00:00Z", "ChargeCategory": "Usage",
                "ChargePeriodStart": f"{day}T00:00:00Z", "ChargePeriodEnd": f"{day + timedelta(days=1)}T00:00:00Z",
                "ProviderName": "AWS", "RegionId": "eu-west-1", "ServiceName": service, "ChargeDescription": usage_type,
                "x_UsageType": usage_type,
            }  # fmt: skip
            files.setdefault(f"{start:%Y-%m}", []).append([row[name] for name in HEADER])
    for month, rows in files.items():
        path = folder / f"focus-{month}.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
        call_command("import_costs", str(path), stdout=(folder / "out").open("w"))
    return told


def of_month(told: dict[date, dict[str, Decimal]]) -> Decimal:
    return exact_sum(cost for day, types in told.items() if day >= MONTH for cost in types.values())


def test_bills_stand_beside_estimates_and_are_never_added(
    tmp_path: Path, make_function: Callable[..., Function], client_as: Any, viewer: User
) -> None:
    client = client_as(viewer)
    usage(make_function("f"), TODAY - timedelta(days=70), 71)
    sums.refresh()
    assert "No bill of this month was taken in" in client.get("/costs/").content.decode()
    estimated = client.get("/costs/").context["shown"].total.spent
    told = take_in(tmp_path)
    page = client.get("/costs/")
    shown = page.context["billed"]
    if LAST < MONTH:
        assert shown is None
        return
    assert page.context["shown"].total.spent == estimated and shown.totals == {"USD": of_month(told)}
    assert exact_sum(line.cost for line in shown.lines) == of_month(told) and shown.last == LAST
    ec2 = next(line for line in shown.lines if line.service == "AmazonEC2")
    rows = list(csv.reader(b"".join(client.get("/costs/rows/?service=AmazonEC2&format=csv")).decode().splitlines()))[1:]
    assert exact_sum(Decimal(row[5]) for row in rows) == ec2.cost and len(rows) == 2
    assert "NatGateway-Bytes" in client.get("/costs/rows/?service=AmazonEC2").content.decode()
    table = b"".join(client.get("/costs/overview.csv?by=service")).decode().splitlines()
    assert exact_sum(Decimal(line.split(",")[2]) for line in table[1:]) == of_month(told)
    before = billed_month(sums.month_before(MONTH))
    assert before is not None and before.whole and before.totals["USD"] > shown.totals["USD"] / 40


def test_a_billed_budget_counts_what_bills_say_and_waits_for_late_ones(tmp_path: Path, admin_user: User) -> None:
    said: dict[str, Any] = {"name": "AWS", "scope": "account", "key": "123456789012", "currency": "USD", "thresholds": [50],
                            "people": [], "basis": "billed", "actor": admin_user}  # fmt: skip
    kept = create_budget(**said, amount=Decimal(10))
    assert standings([kept], TODAY)[0].standing == "unknown" and watch(TODAY) == 0
    told = take_in(tmp_path)
    (one,) = standings([kept], TODAY)
    if LAST >= MONTH:
        assert one.spent == of_month(told) and one.standing == "over" and watch(TODAY) == 1 and watch(TODAY) == 0
        assert one.forecast is not None
        whole = Decimal("41.8") * ((MONTH + timedelta(days=31)).replace(day=1) - MONTH).days
        assert abs(one.forecast.total - whole) < 1, "days that are not billed yet are still to come"
        assert "≈" not in Notice.objects.get().text
    assert (
        standings([create_budget(**said | {"name": "EUR", "currency": "EUR"}, amount=Decimal(9))], TODAY)[0].spent
        is None
    )
    with pytest.raises(ValidationError, match="Bills know nothing of owners"):
        create_budget(**said | {"name": "x", "scope": "owner", "key": "x"}, amount=Decimal(9))
    assert Budget.objects.count() == 2


def test_a_billed_service_far_from_its_usual_is_taken_apart_by_usage_type(
    tmp_path: Path, admin_user: User, client_as: Any
) -> None:
    take_in(tmp_path, spike=Decimal(5))
    (row,) = look(TODAY)
    assert (row.service, row.day, row.basis) == ("AmazonEC2", TODAY - timedelta(days=2), "billed")
    parts = {part["name"]: Decimal(part["amount"]) for part in row.parts}
    assert exact_sum(parts.values()) == row.delta == row.actual - row.expected
    assert next(iter(parts)) == "NatGateway-Bytes" and abs(parts["NatGateway-Bytes"] - 120) < Decimal("0.01")
    assert look(TODAY) == [] and Notice.objects.count() == 1
    client = client_as(admin_user)
    page = client.get(f"/costs/anomalies/{row.pk}/").content.decode()
    assert "NatGateway-Bytes" in page and "Its usage types" in page
    assert "AmazonEC2" in client.get("/costs/anomalies/").content.decode()
    (tmp_path / "again").mkdir()
    take_in(tmp_path / "again")  # the bill is restated: nothing was unusual
    look(TODAY)
    assert CostAnomaly.objects.get().state == "gone"
