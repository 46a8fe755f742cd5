"""A bill that is told again moves the figures to the new truth, and can be taken back."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from core.errors import RefusedError
from core.models import AuditEntry
from costs.billed import Asked, billed, grand_total
from costs.imports.undoing import undo, why_not
from costs.models import (
    BilledCost,
    BilledDay,
    BilledMonth,
    BilledPeriod,
    BilledResourceMonth,
    CostImport,
    DisplacedCost,
)
from tests.costs.bills import CUR, FOCUS, import_costs, write_bill

pytestmark = pytest.mark.django_db


def total(**asked: Any) -> dict[str, Decimal]:
    return grand_total(billed(Asked(**asked)))


def rolled_up() -> list[Decimal]:
    return [
        sum(model.objects.values_list("billed_cost", flat=True), Decimal(0))
        for model in (BilledCost, BilledDay, BilledMonth)
    ]


def test_a_restated_period_replaces_the_former_one(tmp_path: Path) -> None:
    first = [{"BilledCost": "1.10"}, {"BilledCost": "2.20", "ServiceName": "Amazon S3", "SubAccountId": "444"}]
    import_costs(write_bill(tmp_path / "a.csv", first))
    answer = import_costs(write_bill(tmp_path / "b.csv", [{"BilledCost": "1.15"}, {"BilledCost": "0.05"}]))
    (change,) = answer["changes"]
    assert (change["before"], change["after"], change["difference"]) == ("3.3", "1.2", "-2.1")
    assert {line["name"] for line in change["services"]} == {"Amazon S3", "AWS Lambda"}
    assert total() == {"USD": Decimal("1.20")} and rolled_up() == [Decimal("1.20")] * 3
    assert list(CostImport.objects.order_by("created").values_list("state", flat=True)) == ["replaced", "done"]


def test_other_months_accounts_and_providers_stay(tmp_path: Path) -> None:
    others = [
        {"BillingPeriodStart": "2026-09-01 00:00:00", "BilledCost": "7"},
        {"BillingAccountId": "999", "SubAccountId": "999", "BilledCost": "11"},
        {"ProviderName": "Microsoft", "BilledCost": "13"},
        {"BilledCost": "17"},
    ]
    import_costs(write_bill(tmp_path / "a.csv", others))
    import_costs(write_bill(tmp_path / "b.csv", [{"BilledCost": "19"}]))
    assert total() == {"USD": Decimal(7 + 11 + 13 + 19)}
    assert set(CostImport.objects.values_list("state", flat=True)) == {"done"}, "three of four periods still count"


def test_taking_a_restated_bill_back_restores_the_former_truth(tmp_path: Path, operator: Any) -> None:
    first = [{"BilledCost": "1.100000000000000000001", "ResourceId": "fn"}, {"BilledCost": "2.2", "ListCost": "NULL"}]
    import_costs(write_bill(tmp_path / "a.csv", first))
    columns = [field.name for field in BilledCost._meta.fields if field.name not in ("id", "period")]
    before = sorted(map(str, BilledCost.objects.values_list(*columns)))
    pk = import_costs(write_bill(tmp_path / "b.csv", [{"BilledCost": "5"}]))["import"]
    undo(CostImport.objects.get(pk=pk), actor=operator, reason="wrong file")
    assert sorted(map(str, BilledCost.objects.values_list(*columns))) == before
    assert not DisplacedCost.objects.exists()
    assert list(CostImport.objects.order_by("created").values_list("state", flat=True)) == ["done", "undone"]
    assert rolled_up() == [Decimal("3.300000000000000000001")] * 3
    assert BilledPeriod.objects.get().cost_import.name == "a.csv"
    assert AuditEntry.objects.get(verb="bill.undone").reason == "wrong file"
    assert import_costs(tmp_path / "b.csv")["changed"], "what was taken back can come in again"


def test_only_the_latest_of_a_period_can_be_taken_back(tmp_path: Path, operator: Any) -> None:
    imports = [import_costs(write_bill(tmp_path / f"{n}.csv", [{"BilledCost": str(n)}]))["import"] for n in (1, 2, 3)]
    rows = [CostImport.objects.get(pk=pk) for pk in imports]
    with pytest.raises(RefusedError, match="later file replaced it"):
        undo(rows[1], actor=operator)
    undo(rows[2], actor=operator)
    undo(rows[1], actor=operator)
    assert total() == {"USD": Decimal(1)}
    undo(rows[0], actor=operator)
    assert total() == {} and not BilledPeriod.objects.exists() and rolled_up() == [Decimal(0)] * 3


def test_what_was_replaced_long_ago_cannot_come_back(tmp_path: Path, operator: Any) -> None:
    for number in (1, 2):
        pk = import_costs(write_bill(tmp_path / f"{number}.csv", [{"BilledCost": str(number)}]))["import"]
    DisplacedCost.objects.all().delete()
    assert "kept for 60 days" in why_not(CostImport.objects.get(pk=pk))


def test_a_former_file_can_be_the_truth_again(tmp_path: Path) -> None:
    a, b = write_bill(tmp_path / "a.csv", [{"BilledCost": "1"}]), write_bill(tmp_path / "b.csv", [{"BilledCost": "2"}])
    assert [import_costs(path)["changed"] for path in (a, b, a, a)] == [True, True, True, False]
    assert total() == {"USD": Decimal(1)}


def test_a_file_that_is_broken_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    import_costs(write_bill(tmp_path / "a.csv", [{"BilledCost": "1", "ResourceId": "fn"}]))
    rows = [{"BilledCost": str(n)} for n in range(500)] + [{"BilledCost": "x"}] + [{"BilledCost": "3"}]
    with pytest.raises(CommandError, match="Line 502: BilledCost is no number: 'x'"):
        import_costs(write_bill(tmp_path / "b.csv", rows))
    assert total() == {"USD": Decimal(1)} and CostImport.objects.count() == 1
    assert BilledResourceMonth.objects.get().billed_cost == 1


def test_members_own_reports_stand_beside_each_other(tmp_path: Path) -> None:
    """Each tells one account of the payer only, so one must not push the other out."""
    for account, cost in (("A", "1"), ("B", "2"), ("A", "3")):
        rows = [{"lineItem/UsageAccountId": account, "lineItem/UnblendedCost": cost}]
        import_costs(write_bill(tmp_path / f"{account}{cost}.csv", rows, CUR))
    assert {group.values: group.cost for group in billed(Asked(by=("account",)))} == {("A",): 3, ("B",): 2}
    whole = [{"lineItem/UsageAccountId": name, "lineItem/UnblendedCost": "10"} for name in ("A", "B", "111122223333")]
    import_costs(write_bill(tmp_path / "payer.csv", whole, CUR))
    assert total() == {"USD": Decimal(30)}


def test_the_same_money_told_twice_counts_once(tmp_path: Path) -> None:
    answer = tmp_path / "ce.json"
    answer.write_text(
        '{"GroupDefinitions": [{"Type": "DIMENSION", "Key": "SERVICE"}], "ResultsByTime": [{"Estimated": false, "Groups":'
        ' [{"Keys": ["AWS Lambda"], "Metrics": {"UnblendedCost": {"Amount": "4.20", "Unit": "USD"}}}],'
        ' "TimePeriod": {"Start": "2026-10-05", "End": "2026-10-06"}}]}'
    )
    import_costs(answer, "--account", "111122223333")
    assert total() == {"USD": Decimal("4.20")}
    focus = import_costs(write_bill(tmp_path / "focus.csv", [{"BilledCost": "4.25"}], FOCUS))
    assert total() == {"USD": Decimal("4.25")}, "the bill is finer than the answer"
    assert total(source="cost_explorer") == {"USD": Decimal("4.20")}
    undo(CostImport.objects.get(pk=focus["import"]), actor=None)
    assert total() == {"USD": Decimal("4.20")}
