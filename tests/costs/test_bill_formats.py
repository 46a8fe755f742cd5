"""Formats and their oddities: versions, packing, parquet, tags, amortized cost, days, currencies."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.management import CommandError

from core.aws.storage import ensure_bucket, put_bytes
from costs.billed import Asked, billed
from costs.models import BilledCost
from tests.costs.bills import CUR, import_costs, write_bill

pytestmark = pytest.mark.django_db
LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function:render-pdf"


def one(**asked: Any) -> Any:
    (group,) = billed(Asked(**asked))
    return group


@pytest.mark.parametrize(
    ("more", "version"),
    [({}, "1.0"), ({"SkuMeter": "m"}, "1.1"), ({"SkuMeter": "m", "InvoiceId": "1"}, "1.2")],
)
def test_versions_of_focus_are_told_apart(tmp_path: Path, more: dict[str, str], version: str) -> None:
    assert import_costs(write_bill(tmp_path / "a.csv", [more]), "--dry-run")["format"] == f"FOCUS {version}"


@pytest.mark.slow
def test_packed_files_and_objects_read_as_the_plain_one(tmp_path: Path) -> None:
    plain = write_bill(tmp_path / "a.csv", [{"BilledCost": "1.5"}, {"BilledCost": "2.5E-7"}])
    packed, zipped = tmp_path / "a.csv.gz", tmp_path / "a.zip"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(plain, "a.csv")
    ensure_bucket()
    places: list[Path | str] = [plain, packed, zipped, put_bytes("bills/a.csv.gz", packed.read_bytes())]
    answers = [import_costs(place, "--dry-run")["totals"] for place in places]
    assert answers == [answers[0]] * 4 and answers[0]["USD"]["BilledCost"] == "1.50000025"
    with pytest.raises(CommandError, match="cannot be read"):
        import_costs("s3://no-such-bucket/a.csv")


def test_a_cur_2_in_parquet_reads_as_its_text(tmp_path: Path) -> None:
    """Costs are binary numbers there, tags a map, times typed; the shortest text of a number is what was meant."""
    noise = [1.81e-08, 0.1, 1 / 3, 0.0061922800000000075, -2.5]
    tags = pl.Series(
        [[{"key": "user_capability", "value": "render_pdf"}], [], [{"key": "x", "value": "y"}], None, []],
        dtype=pl.List(pl.Struct({"key": pl.String, "value": pl.String})),
    )
    frame = pl.DataFrame(
        {
            "bill_payer_account_id": "111122223333", "line_item_usage_account_id": "111122223333",
            "bill_billing_period_start_date": datetime(2026, 10, 1, tzinfo=UTC),
            "line_item_usage_start_date": datetime(2026, 10, 5, 7, tzinfo=UTC),
            "line_item_usage_end_date": datetime(2026, 10, 5, 8, tzinfo=UTC), "line_item_line_item_type": "Usage",
            "line_item_product_code": "AWSLambda", "product": '{"product_name": "AWS Lambda"}',
            "line_item_usage_type": "EU-Lambda-GB-Second", "line_item_resource_id": LAMBDA,
            "line_item_currency_code": "USD", "line_item_unblended_cost": noise, "resource_tags": tags,
            "line_item_usage_amount": [1, 2, 3, 4, 5], "pricing_unit": "Second",
        }
    )  # fmt: skip
    path = tmp_path / "cur.parquet"
    frame.write_parquet(path)
    answer = import_costs(path)
    assert answer["format"] == "CUR 2.0" and answer["rows"] == 5
    assert Decimal(answer["totals"]["USD"]["BilledCost"]) == sum(Decimal(repr(value)) for value in noise)
    assert one(where={"capability": "render_pdf"}).cost == Decimal("1.81E-8")
    lambdas = one(by=("service", "resource", "day"), where={"usage_type": "EU-Lambda-GB-Second"})
    assert lambdas.values == ("AWS Lambda", LAMBDA, date(2026, 10, 5)) and lambdas.sums["quantity"] == 15


def test_amortized_cost_spreads_what_was_paid_ahead(tmp_path: Path) -> None:
    sp, ri = "savingsPlan/SavingsPlanEffectiveCost", "reservation/EffectiveCost"
    total, used = "savingsPlan/TotalCommitmentToDate", "savingsPlan/UsedCommitment"
    rows: list[tuple[str, str, dict[str, str], str | int]] = [
        ("Usage", "10", {}, 10), ("SavingsPlanCoveredUsage", "5", {sp: "3.5"}, "3.5"),
        ("SavingsPlanNegation", "-5", {}, 0), ("SavingsPlanRecurringFee", "4", {total: "4", used: "3.4"}, "0.6"),
        ("DiscountedUsage", "0", {ri: "1.1"}, "1.1"), ("Tax", "2", {}, 2), ("Refund", "-1", {}, -1),
        ("RIFee", "7", {"reservation/UnusedRecurringFee": "0.3"}, "0.3"), ("EdpDiscount", "-0.5", {}, "-0.5"),
        ("Fee", "900", {"reservation/ReservationARN": "arn:r"}, 0), ("Fee", "8", {}, 8),
    ]  # fmt: skip
    lines = [{"lineItem/LineItemType": kind, "lineItem/UnblendedCost": cost} | more for kind, cost, more, _ in rows]
    answer = import_costs(write_bill(tmp_path / "cur.csv", lines, CUR))
    assert Decimal(answer["totals"]["USD"]["EffectiveCost"]) == sum(Decimal(effective) for *_, effective in rows)
    kinds = {group.values: group.cost for group in billed(Asked(by=("charge_category", "line_type")))}
    assert kinds["Credit", "Refund"] == -1 and kinds["Tax", "Tax"] == 2 and kinds["Purchase", "RIFee"] == 7
    assert kinds["Credit", "EdpDiscount"] == Decimal("-0.5") and kinds["Adjustment", "SavingsPlanNegation"] == -5


def test_days_are_those_of_utc_and_ends_are_exclusive(tmp_path: Path) -> None:
    times = [
        ("2026-10-05 23:00:00", "2026-10-06 00:00:00", date(2026, 10, 5), date(2026, 10, 6)),
        ("2026-10-05T23:30:00Z", "2026-10-06T00:30:00Z", date(2026, 10, 5), date(2026, 10, 7)),
        ("2026-10-06T01:00:00+02:00", "2026-10-06T02:00:00+02:00", date(2026, 10, 5), date(2026, 10, 6)),
        ("2026-10-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z", date(2026, 10, 1), date(2026, 11, 1)),
        ("2026-10-09", "", date(2026, 10, 9), date(2026, 10, 10)),
    ]
    rows = [{"ChargePeriodStart": start, "ChargePeriodEnd": end, "ServiceName": str(n)}
            for n, (start, end, *_) in enumerate(times)]  # fmt: skip
    import_costs(write_bill(tmp_path / "a.csv", rows))
    found = {row.service: (row.day, row.until) for row in BilledCost.objects.all()}
    assert found == {str(n): (day, until) for n, (_s, _e, day, until) in enumerate(times)}
    with pytest.raises(CommandError, match="Line 3"):
        import_costs(write_bill(tmp_path / "b.csv", [{}, {"ChargePeriodStart": "last week"}]))


def test_currencies_and_accounts_are_never_added_up(tmp_path: Path) -> None:
    rows = [
        {"BillingCurrency": "EUR", "BilledCost": "1", "SubAccountId": "A"},
        {"BillingCurrency": "USD", "BilledCost": "2", "SubAccountId": "A"},
        {"BillingCurrency": "USD", "BilledCost": "-0.5", "SubAccountId": "B", "ChargeCategory": "Credit"},
    ]
    answer = import_costs(write_bill(tmp_path / "a.csv", rows))
    assert {name: sums["BilledCost"] for name, sums in answer["totals"].items()} == {"EUR": "1", "USD": "1.5"}
    assert answer["by_service"] == {"AWS Lambda (EUR)": "1", "AWS Lambda (USD)": "1.5"}
    groups = {(*group.values, group.currency): group.cost for group in billed(Asked(by=("account", "charge_category")))}
    assert groups == {("A", "Usage", "EUR"): 1, ("A", "Usage", "USD"): 2, ("B", "Credit", "USD"): Decimal("-0.5")}


def test_pages_of_an_answer_are_one_bill(tmp_path: Path) -> None:
    def page(day: str, end: str, amount: str, *, estimated: bool) -> dict[str, Any]:
        metrics = {"UnblendedCost": {"Amount": amount, "Unit": "USD"}, "AmortizedCost": {"Amount": "1", "Unit": "USD"},
                   "UsageQuantity": {"Amount": "3", "Unit": "N/A"}}  # fmt: skip
        group = {"Keys": ["111", "capability$render_pdf"], "Metrics": metrics}
        result = {"TimePeriod": {"Start": day, "End": end}, "Estimated": estimated, "Groups": [group], "Total": {}}
        keys = [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}, {"Type": "TAG", "Key": "capability"}]
        return {"GroupDefinitions": keys, "ResultsByTime": [result]}

    path = tmp_path / "ce.json"
    pages = [
        page("2026-10-30", "2026-10-31", "1.5", estimated=False),
        page("2026-10-31", "2026-11-01", "2", estimated=True),
    ]
    path.write_text(json.dumps(pages))
    answer = import_costs(path, "--account", "111122223333")
    assert (answer["rows"], answer["period_end"]) == (2, "2026-11-01")
    assert answer["totals"]["USD"] == {"BilledCost": "3.5", "EffectiveCost": "2"}
    assert [group.estimated for group in billed(Asked(by=("day",)))] == [True, False]
    assert one(where={"capability": "render_pdf", "account": "111"}).cost == Decimal("3.5")
    path.write_text(json.dumps([page("2026-10-31", "2026-11-01", "2.25", estimated=False)]))
    import_costs(path, "--account", "111122223333")
    assert one().cost == Decimal("3.75") and not one().estimated, "only the day that was asked for again is replaced"


@pytest.mark.parametrize(
    ("content", "words"),
    [('{"a": 1}', "no answer of Cost Explorer"), ("{", "no JSON"), ("[]", "no answer"), ("BilledCost\n1\n", "no bill")],
)
def test_other_files_are_refused_in_words(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(CommandError, match=words):
        import_costs(path)


def test_a_bill_without_a_charge_is_refused(tmp_path: Path) -> None:
    path = write_bill(tmp_path / "a.csv", [{}])
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(CommandError, match="no charges"):
        import_costs(path)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = write_bill(tmp_path / "a.csv", [{"Tags": "x"}] * 3)
    whole = path.read_text().rstrip()
    path.write_text("\ufeff" + whole)
    assert import_costs(path, "--dry-run")["rows"] == 3, (
        "a last line without an end is fine, and so is a byte order mark"
    )
    path.write_text(whole[: whole.rindex(",")])
    with pytest.raises(CommandError, match="cut off"):
        import_costs(path)
