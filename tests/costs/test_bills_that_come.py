"""Bills that come by themselves: reports in a bucket, and Cost Explorer within a budget of paid requests."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from core.aws.clients import boto_client
from core.aws.errors import AwsRejected
from core.aws.storage import delete_prefix, ensure_bucket, put_bytes
from core.errors import RefusedError
from costs.billed import Asked, billed, grand_total
from costs.imports.pulling import pull, requests_left
from costs.models import CostExplorerPull, CostImport
from costs.tasks import ask_cost_explorer, take_delivered_bills
from tests.costs.bills import CUR, import_costs, write_bill

pytestmark = pytest.mark.usefixtures("prices")
FIRST, END = date(2026, 11, 10), date(2026, 11, 12)
ASKED = {
    "TimePeriod": {"Start": "2026-11-10", "End": "2026-11-12"}, "Granularity": "DAILY",
    "Metrics": ["UnblendedCost", "AmortizedCost", "UsageQuantity"],
    "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
}  # fmt: skip


def total() -> dict[str, Decimal]:
    return grand_total(billed(Asked()))


def page(day: int, amount: str, *, token: str = "") -> dict[str, Any]:
    metrics = {name: {"Amount": amount, "Unit": "USD"} for name in ("UnblendedCost", "AmortizedCost")}
    group = {"Keys": ["AWS Lambda", "EU-Request"], "Metrics": metrics}
    period = {"Start": f"2026-11-{day}", "End": f"2026-11-{day + 1}"}
    answer = {"GroupDefinitions": ASKED["GroupBy"], "DimensionValueAttributes": []}
    answer["ResultsByTime"] = [{"TimePeriod": period, "Total": {}, "Groups": [group], "Estimated": day == 11}]
    return answer | ({"NextPageToken": token} if token else {})


@pytest.fixture
def explorer() -> Iterator[Stubber]:
    """AWS's side of Cost Explorer; the local AWS has none that answers."""
    with Stubber(boto_client("ce", "us-east-1")) as stubber:
        yield stubber


def test_every_page_is_asked_for_counted_and_taken(explorer: Stubber) -> None:
    explorer.add_response("get_cost_and_usage", page(10, "1.0000000001", token="next"), ASKED)
    explorer.add_response("get_cost_and_usage", page(11, "2"), ASKED | {"NextPageToken": "next"})
    made = pull(FIRST, END)
    explorer.assert_no_pending_responses()
    assert total() == {"USD": Decimal("3.0000000001")} and made.rows == 2
    row = CostExplorerPull.objects.get()
    assert (row.requests, row.usd, row.cost_import) == (2, Decimal("0.02"), made)
    (group,) = billed(Asked(by=("service", "usage_type", "billing_account"), first=date(2026, 11, 11)))
    assert group.values == ("AWS Lambda", "EU-Request", "123456789012") and group.estimated


def test_the_month_s_requests_are_bounded(explorer: Stubber, settings: Any) -> None:
    settings.COST_EXPLORER_REQUESTS = 3
    for _ in range(3):
        explorer.add_response("get_cost_and_usage", page(10, "1", token="more"))
    with pytest.raises(RefusedError, match="3 requests"):
        pull(FIRST, END)
    row = CostExplorerPull.objects.get()
    assert row.requests == 3 and "used up" in row.problem and requests_left(row.at.date()) == 0
    assert not CostImport.objects.exists(), "half an answer is no answer"
    with pytest.raises(RefusedError):
        pull(FIRST, END)


def test_a_refusal_of_aws_is_kept_with_what_it_cost(explorer: Stubber, settings: Any) -> None:
    explorer.add_client_error("get_cost_and_usage", "AccessDeniedException", "not enabled")
    with pytest.raises(AwsRejected):
        pull(FIRST, END)
    row = CostExplorerPull.objects.get()
    assert row.requests == 1 and "not enabled" in row.problem
    ask_cost_explorer()
    assert CostExplorerPull.objects.count() == 1, "it is off until it is switched on"


@pytest.mark.slow
def test_delivered_reports_come_in_once_and_again_when_written_anew(tmp_path: Path, settings: Any) -> None:
    ensure_bucket()
    prefix = f"bills/{tmp_path.name}/"
    settings.BILL_PREFIX = f"s3://{settings.EXCHANGE_BUCKET}/{prefix}"
    october, november = f"{prefix}20261001-20261101/", f"{prefix}20261101-20261201/"
    parts = [
        write_bill(tmp_path / f"{n}.csv", [{"lineItem/UnblendedCost": str(n)}], CUR).read_bytes() for n in (1, 2, 4)
    ]
    put_bytes(f"{october}report-00001.csv.gz", gzip.compress(parts[0]))
    put_bytes(f"{october}report-00002.csv.gz", gzip.compress(parts[1]))
    put_bytes(f"{october}report-Manifest.json", b"{}")
    put_bytes(f"{november}report-00001.csv.gz", b"\x1f\x8bbroken")
    take_delivered_bills()
    assert total() == {"USD": Decimal(3)}, "both parts are one bill"
    states = dict(CostImport.objects.values_list("state", "problem"))
    assert set(states) == {"done", "failed"} and "damaged" in states["failed"]
    take_delivered_bills()
    assert CostImport.objects.count() == 2, "nothing changed, nothing is tried again"
    put_bytes(f"{october}report-00002.csv.gz", gzip.compress(parts[2]))
    take_delivered_bills()
    assert total() == {"USD": Decimal(5)}
    assert import_costs(f"s3://{settings.EXCHANGE_BUCKET}/{october}")["changed"] is False
    delete_prefix(prefix)


def test_a_folder_of_parts_is_one_bill(tmp_path: Path) -> None:
    for number, cost in enumerate(("1", "2")):
        write_bill(tmp_path / f"part-{number}.csv", [{"BilledCost": cost}])
    answer = import_costs(tmp_path)
    assert (answer["rows"], answer["totals"]["USD"]["BilledCost"]) == (2, "3")
    assert import_costs(tmp_path)["changed"] is False and total() == {"USD": Decimal(3)}
