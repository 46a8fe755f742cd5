"""`import_costs` reproduces the published sums of real bills, and the database gives them again."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from costs.billed import Asked, billed, grand_total
from costs.models import BilledCost, BilledDay, BilledMonth, CostImport
from tests.shared_data import shared_path

pytestmark = pytest.mark.django_db
FOLDER = "aws-costs"


def import_costs(path: Path | str, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("import_costs", str(path), *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def published() -> dict[tuple[str, str], tuple[int, Decimal]]:
    with shared_path(f"{FOLDER}/expected_totals.csv").open(newline="") as file:
        return {
            (row["file"], row["what"]): (int(row["rows"]), Decimal(row["exact_sum_decimal"]))
            for row in csv.DictReader(file)
        }


def total(**asked: Any) -> Decimal:
    groups = billed(Asked(**asked))
    return grand_total(groups).get("USD", Decimal(0))


def test_the_focus_sample_comes_out_to_the_last_digit() -> None:
    expected = {what: value for (file, what), value in published().items() if file == "focus_sample.csv"}
    answer = import_costs(shared_path(f"{FOLDER}/focus_sample.csv"))
    (sums,) = answer["totals"].values()
    assert (answer["rows"], answer["format"]) == (1000, "FOCUS 1.0")
    assert (answer["period_start"], answer["period_end"]) == ("2024-09-01", "2024-10-01")
    for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"):
        assert Decimal(sums[name]) == expected[f"{name} USD"][1], name
    assert sum(map(Decimal, answer["by_service"].values())) == expected["BilledCost USD"][1]
    # ... and again from the database
    (whole,) = billed(Asked(source="focus"))
    assert {name: value for name, value in whole.sums.items() if name.endswith("_cost") and value is not None} == {
        "billed_cost": expected["BilledCost USD"][1], "effective_cost": expected["EffectiveCost USD"][1],
        "list_cost": expected["ListCost USD"][1], "contracted_cost": expected["ContractedCost USD"][1],
    }  # fmt: skip
    for group in billed(Asked(by=("provider",))):
        assert (group.lines, group.cost) == expected[f"BilledCost where ProviderName={group.values[0]}"]
    (lambdas,) = billed(Asked(contains={"service": "Lambda"}))
    assert (lambdas.lines, lambdas.cost) == expected["BilledCost where ServiceName contains Lambda"]


@pytest.mark.parametrize("file", ["cur_legacy_focusconv.csv", "cur_legacy_koku.csv"])
def test_legacy_reports_come_out_to_the_last_digit(file: str) -> None:
    expected = published()
    answer = import_costs(shared_path(f"{FOLDER}/{file}"))
    (sums,) = answer["totals"].values()
    rows, unblended = expected[file, "lineItem/UnblendedCost"]
    assert (answer["rows"], Decimal(sums["BilledCost"])) == (rows, unblended)
    assert Decimal(sums["BlendedCost"]) == expected[file, "lineItem/BlendedCost"][1]
    assert total() == unblended
    other = billed(Asked(by=("usage_type",), where={"service_code": "AmazonEC2"}))
    other = [group for group in other if "BoxUsage" not in group.values[0]]
    like = 'lineItem/UnblendedCost, ProductCode AmazonEC2 without BoxUsage ("EC2 - Other"-like)'
    assert (sum(g.lines for g in other), sum(g.cost for g in other)) == expected[file, like]


def test_an_answer_of_cost_explorer_comes_out_to_the_last_digit() -> None:
    expected, file = published(), "ce_get_cost_and_usage_by_service.json"
    answer = import_costs(shared_path(f"{FOLDER}/{file}"), "--account", "111122223333")
    (sums,) = answer["totals"].values()
    rows, whole = expected[file, "sum of ResultsByTime[].Groups[].Metrics.UnblendedCost.Amount"]
    assert (answer["rows"], Decimal(sums["BilledCost"])) == (rows, whole)
    assert (answer["period_start"], answer["period_end"]) == ("2024-02-01", "2024-04-27")
    for service in ("EC2 - Other", "AWS Lambda"):
        lines, cost = expected[file, f"UnblendedCost of key {service}"]
        assert Decimal(answer["by_service"][service]) == cost
        (group,) = billed(Asked(where={"service": service}))
        assert (group.lines, group.cost) == (lines, cost)
    days = billed(Asked(by=("day",)))
    assert sum(group.estimated for group in days) == 26
    assert total(where={"charge_category": "Tax"}) == Decimal(answer["by_service"]["Tax"])
    assert "E" not in json.dumps(list(answer["by_service"].values()))


def test_a_dry_run_sums_and_writes_nothing() -> None:
    answer = import_costs(shared_path(f"{FOLDER}/focus_sample.csv"), "--dry-run")
    assert Decimal(answer["totals"]["USD"]["BilledCost"]) == Decimal("20.52022672899")
    assert not CostImport.objects.exists() and not BilledCost.objects.exists()


def test_the_same_file_twice_changes_nothing() -> None:
    path = shared_path(f"{FOLDER}/cur_legacy_koku.csv")
    first, again = import_costs(path), import_costs(path)
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["import"] == again["import"] and first["totals"] == again["totals"]
    assert CostImport.objects.count() == 1
    assert total() == Decimal("0.0827499841274349353")


def test_what_is_no_bill_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="no bill we know"):
        import_costs(path)
    assert not CostImport.objects.exists()


def test_rollups_hold_the_same_money(make_function: Callable[..., Any]) -> None:
    import_costs(shared_path(f"{FOLDER}/focus_sample.csv"))
    sums = [sum(model.objects.values_list("billed_cost", flat=True)) for model in (BilledCost, BilledDay, BilledMonth)]
    assert sums == [Decimal("20.52022672899")] * 3
