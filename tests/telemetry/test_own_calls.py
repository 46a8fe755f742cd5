"""Our own calls to AWS: every one is counted, priced, and held to a monthly budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from core.aws import invoke, meter
from core.aws.clients import check_aws, lambda_bucket, management_client
from core.aws.errors import AwsError
from core.aws_calls.models import AwsBudget, AwsCallDay
from core.aws_calls.prices import seed_prices
from core.aws_calls.spending import costs, pace
from core.models import AuditEntry

TODAY = timezone.now().astimezone(UTC).date()
MIDDLE = datetime(2026, 4, 16, tzinfo=UTC)  # half of a month of 30 days


@pytest.fixture(autouse=True)
def nothing_counted(db: None) -> Iterator[None]:
    meter._counted.clear()
    seed_prices()
    yield
    meter._counted.clear()


def asked(metrics: int, day: date = TODAY) -> None:
    AwsCallDay.objects.update_or_create(
        day=day, service="cloudwatch", operation="GetMetricData", defaults={"calls": 1, "units": metrics}
    )


def test_every_way_to_aws_is_counted_by_service_and_operation_and_adds_up() -> None:
    now = datetime.now(UTC)
    for _ in range(2):
        check_aws()
        invoke.invoke("no-such-function", b"{}", timeout_s=1)
        queries: list[Any] = [
            {"Id": f"q{n}", "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": name}, "Period": 3600, "Stat": "Sum",
            }}
            for n, name in enumerate(("Invocations", "Errors", "Throttles"))
        ]  # fmt: skip
        management_client("cloudwatch").get_metric_data(
            MetricDataQueries=queries, StartTime=now - timedelta(hours=3), EndTime=now
        )
        assert meter.flush() == 3
    rows = dict(AwsCallDay.objects.values_list("operation", "calls"))
    assert rows == {"ListFunctions": 2, "Invoke": 2, "GetMetricData": 2}
    dearest, *free = costs(TODAY, TODAY)
    assert (dearest.operation, dearest.units, dearest.usd) == ("GetMetricData", Decimal(6), Decimal("0.00006"))
    assert {entry.usd for entry in free} == {0}
    assert meter.flush() == 0


def test_logs_queries_are_paid_by_what_they_scanned_and_cost_explorer_by_request() -> None:
    meter._query_ended({"status": "Running", "statistics": {"bytesScanned": 2**30}})
    meter._query_ended({"status": "Complete", "statistics": {"bytesScanned": 3.0 * 2**30}})
    meter.count("ce", "GetCostAndUsage", calls=4)
    meter.flush()
    found = {entry.operation: entry.usd for entry in costs(TODAY, TODAY)}
    assert found == {"GetCostAndUsage": Decimal("0.04"), "StartQuery": Decimal("0.015")}


def test_what_could_not_be_written_down_is_kept() -> None:
    meter.count("sts", "GetCallerIdentity")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_awscallday RENAME TO elsewhere")
        with pytest.raises(DatabaseError), transaction.atomic():
            meter.flush()
        cursor.execute("ALTER TABLE elsewhere RENAME TO core_awscallday")
    meter.count("sts", "GetCallerIdentity")
    meter.flush()
    assert AwsCallDay.objects.get().calls == 2


def test_a_request_that_waits_too_long_for_its_turn_is_not_counted(settings: Any) -> None:
    settings.AWS_MANAGEMENT_RATE = 8
    client = management_client("lambda", "ap-south-2")
    bucket = lambda_bucket("ListFunctions", "ap-south-2")
    while bucket.book() < 60:
        pass
    with pytest.raises(AwsError, match="waiting"):
        client.list_functions()
    assert not meter._counted


@pytest.mark.parametrize(
    ("used", "factor"), [(400_000, 1), (499_999, 1), (510_000, 2), (800_000, 4), (960_000, 12), (1_000_000, None)]
)
def test_polling_slows_down_when_spending_runs_ahead_of_the_month_and_rests_at_the_end(
    used: int, factor: int | None
) -> None:
    asked(used, MIDDLE.date())
    now = pace(MIDDLE)
    assert now.factor == factor
    assert f"{round(used / 10_000)} %" in str(now.words(timedelta(hours=1)))
    if factor == 4:
        assert str(now.words(timedelta(hours=1))) == (
            "polling every 4 h because 80 % of the budget is used and 50 % of the month is over"
        )
    late = pace(MIDDLE.replace(day=30))  # 96.7 % of the month is over: it lasts
    assert late.factor == (None if factor is None else 1)


def test_the_budget_is_changed_in_the_admin_and_the_api_says_how_it_stands(
    admin_user: User, viewer: User, client_as: Callable[[User], Client], api_client: Callable[[User], APIClient]
) -> None:
    asked(900_000)
    AwsBudget.objects.create()
    address = reverse("admin:core_awsbudget_change", args=[1])
    assert client_as(admin_user).post(address, {"monthly_usd": "4.50"}).status_code == 302
    assert AuditEntry.objects.get(verb="aws_budget.changed").after == {"monthly_usd": "4.50"}
    api = api_client(viewer)
    budget = api.get("/api/v1/aws-calls/budget/").json()
    assert (Decimal(budget["monthly_usd"]), Decimal(budget["used_usd"]), budget["factor"]) == (
        Decimal("4.5"),
        Decimal(9),
        None,
    )
    (row,) = api.get("/api/v1/aws-calls/", {"service": "cloudwatch", "after": TODAY.isoformat()}).json()["results"]
    assert (row["operation"], Decimal(row["usd"])) == ("GetMetricData", Decimal(9))
    assert not api.get("/api/v1/aws-calls/", {"before": TODAY.isoformat()}).json()["results"]
    assert api.post("/api/v1/aws-calls/", {}).status_code in (403, 405)
