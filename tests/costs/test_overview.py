"""The overview: one month in parts that add up to the whole, the rows behind each, as page, CSV and API."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from costs import sums
from costs.estimate import exact_sum
from costs.models import Budget, CostDay, CostFunctionMonth, ExchangeRate
from costs.overview import GROUPS, overview
from costs.selectors import cost_report
from costs.tasks import refresh_late_sums, refresh_sums, watch
from services_registry.choices import Origin
from services_registry.models import Function, FunctionDay
from tests.costs.usage import cost, usage

pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]
TODAY = timezone.now().date()
MONTH = TODAY.replace(day=1)
BEFORE = sums.month_before(MONTH)


def fleet(make_function: Make, count: int = 6) -> None:
    for number in range(count):
        function = make_function(
            f"f-{number}", capability=f"capability-{number % 3}", owner=f"team-{number % 2}",
            account="123456789012" if number % 3 else "210987654321",
        )  # fmt: skip
        usage(function, TODAY - timedelta(days=150), 151, lambda day, n=number: 100 + n + day.day, gb_s=977 + number)  # type: ignore[misc]


def table(client: Any, address: str) -> list[list[str]]:
    return list(csv.reader(b"".join(client.get(address)).decode().splitlines()))


def test_every_split_adds_up_to_what_the_usage_costs(make_function: Make, client_as: Any, viewer: User) -> None:
    fleet(make_function)
    ExchangeRate.objects.create(currency="EUR", valid_from=TODAY, per_usd=Decimal("0.913"), source="test")
    refresh_late_sums()
    whole = cost_report(MONTH, TODAY).total
    client = client_as(viewer)
    for currency, total in (("USD", whole.usd), ("EUR", whole.eur)):
        shown = overview(MONTH, TODAY, currency)
        assert shown.total.spent == total
        for name in GROUPS:
            assert exact_sum(part.spent for part in shown.groups[name].values()) == total
            assert exact_sum(part.before for part in shown.groups[name].values()) == shown.total.before
        assert exact_sum(shown.days.values()) == total
        for by in (*GROUPS, "function", "day"):
            rows = table(client, f"/costs/overview.csv?by={by}&currency={currency}")[1:]
            column = 3 if by == "function" else 1
            assert exact_sum(Decimal(row[column]) for row in rows) == total, by
    page = client.get("/costs/").content.decode()
    found = re.search(r'data-exact="([^"]+)"', page)
    assert found and Decimal(found[1]) == whole.usd
    assert client.get("/costs/overview.csv?by=colour").status_code == 400


def test_the_month_before_is_compared_by_the_same_whole_days(make_function: Make) -> None:
    usage(make_function("f"), BEFORE, (TODAY - BEFORE).days + 1, gb_s=1000)
    sums.refresh()
    shown, each = overview(MONTH, TODAY, "USD"), cost(100, 1000)
    days = TODAY.day - 1
    same = min(days, (MONTH - timedelta(days=1)).day)
    assert (shown.total.whole, shown.total.before) == (each * days, each * same)
    assert shown.total.spent == each * (days + 1)
    row = CostFunctionMonth.objects.get(month=MONTH)
    assert (row.whole_usd, row.before_usd) == (shown.total.whole, shown.total.before)
    whole_month = overview(BEFORE, TODAY, "USD")
    assert whole_month.forecast is None and whole_month.total.spent == each * (MONTH - BEFORE).days


def test_rows_behind_a_bar_add_up_to_it(make_function: Make, client_as: Any, viewer: User) -> None:
    fleet(make_function)
    sums.refresh()
    client, shown = client_as(viewer), overview(MONTH, TODAY, "USD")
    for name in GROUPS:
        for key, part in shown.groups[name].items():
            rows = table(client, f"/costs/rows/?{name}={key}&format=csv")[1:]
            assert exact_sum(Decimal(row[3]) for row in rows) == part.spent
    for day, amount in list(shown.days.items())[:3]:
        rows = table(client, f"/costs/rows/?day={day}&format=csv")[1:]
        assert len(rows) == 6 and exact_sum(Decimal(row[3]) for row in rows) == amount
    function = Function.objects.get(name="f-3")
    Function.objects.filter(pk=function.pk).update(
        ephemeral_mb=2048,
        provisioned=[{"qualifier": "live", "environments": 2}],
        first_seen=timezone.now() - timedelta(days=90),
    )
    sums.refresh()
    rows = table(client, f"/costs/rows/?function={function.pk}&format=csv")[1:]
    kept = CostFunctionMonth.objects.get(function=function, month=MONTH).usd
    later = exact_sum([*(Decimal(row[1]) for row in rows), -kept])
    assert 0 <= later < Decimal("0.001"), "only the seconds since then, for which it was kept warm"
    page = client.get("/costs/rows/?owner=team-1").content.decode()
    assert "owner: team-1" in page and "3 functions" in page
    assert client.get("/costs/rows/?function=999999999").status_code == 404
    assert "No function cost anything" in client.get("/costs/rows/?owner=nobody").content.decode()


def test_refreshing_again_changes_nothing_and_follows_late_lines_and_owners(make_function: Make) -> None:
    fleet(make_function, 3)
    refresh_late_sums()
    before = sorted(CostDay.objects.values_list("day", "account", "owner", "capability", "usd", "eur"))
    refresh_late_sums()
    assert sorted(CostDay.objects.values_list("day", "account", "owner", "capability", "usd", "eur")) == before
    function = Function.objects.get(name="f-0")
    FunctionDay.objects.filter(function=function, day=TODAY).update(invocations=10**9, origin=Origin.SAMPLE)
    Function.objects.filter(name="f-1").update(owner="moved")
    refresh_sums()
    shown = overview(MONTH, TODAY, "USD")
    assert shown.sample and "moved" in shown.groups["owner"]
    assert shown.total.spent == cost_report(MONTH, TODAY).total.usd


def test_months_that_are_missing_are_filled_one_at_a_time(make_function: Make, capsys: Any) -> None:
    fleet(make_function, 2)
    for filled in range(2, 5):
        sums.refresh()
        assert CostFunctionMonth.objects.values("month").distinct().count() == filled
    call_command("refresh_costs", months=2)
    assert f'"{MONTH:%Y-%m}"' in capsys.readouterr().out


@pytest.mark.slow
def test_the_page_costs_as_few_queries_with_thirty_functions(
    make_function: Make, client_as: Any, viewer: User, query_budget: Any
) -> None:
    client = client_as(viewer)
    assert "Nothing is added up for" in client.get("/costs/").content.decode()
    Budget.objects.create(name="all", scope="all", amount=100, currency="EUR")
    for count in (3, 30):
        Function.objects.all().delete()
        fleet(make_function, count)
        refresh_late_sums()
        with query_budget(10):
            page = client.get("/costs/?currency=EUR")
        assert "≈ €" in page.content.decode() and "by forecast" in page.content.decode()
    assert client.get("/costs/?month=2020-01").status_code == 200
    assert client.get("/costs/?month=nonsense&currency=XXX").status_code == 200


def test_without_a_rate_euros_are_not_guessed(make_function: Make, client_as: Any, viewer: User) -> None:
    fleet(make_function, 1)
    ExchangeRate.objects.all().delete()
    refresh_sums()
    page = client_as(viewer).get("/costs/?currency=EUR").content.decode()
    assert "No exchange rate is known" in page and "≈ €" not in page


def test_tools_read_the_overview_and_keep_budgets(
    make_function: Make, api_client: Callable[[User], APIClient], admin_user: User, operator: User, query_budget: Any
) -> None:
    fleet(make_function)
    refresh_late_sums()
    reader, admin = api_client(operator), api_client(admin_user)
    told = reader.get("/api/v1/costs/overview/").json()
    total = Decimal(told["total"]["spent"])
    assert total == cost_report(MONTH, TODAY).total.usd and Decimal(told["forecast"]["total"]) >= total
    assert exact_sum(Decimal(part["spent"]) for part in told["by_capability"]) == total
    assert reader.get("/api/v1/costs/overview/?currency=GBP").status_code == 400
    said = {"name": "Team 1", "scope": "owner", "key": "team-1", "amount": "12.50", "currency": "EUR"}
    assert reader.post("/api/v1/costs/budgets/", said, format="json").status_code == 403
    made = admin.post("/api/v1/costs/budgets/", said, format="json")
    assert made.status_code == 201 and made.json()["thresholds"] == [50, 80, 100]
    assert admin.post("/api/v1/costs/budgets/", said, format="json").status_code == 409
    assert admin.post("/api/v1/costs/budgets/", said | {"colour": 1}, format="json").status_code == 400
    address = f"/api/v1/costs/budgets/{made.json()['id']}/"
    assert admin.patch(address, {"amount": "13.00", "people": ["nobody"]}, format="json").status_code == 400
    assert admin.patch(address, {"amount": "13.00"}, format="json").json()["amount"] == "13.00"
    Budget.objects.bulk_create(Budget(name=f"b{n}", scope="owner", key=f"x{n}", amount=1) for n in range(9))
    with query_budget(4):
        listed = reader.get("/api/v1/costs/budgets/").json()["results"][0]
    Budget.objects.filter(key__startswith="x").delete()
    listed = reader.get("/api/v1/costs/budgets/").json()["results"][0]
    assert listed["standing"] in {"within", "likely_over", "over"} and Decimal(listed["spent"]) > 0
    function = Function.objects.get(name="f-0")
    FunctionDay.objects.filter(function=function, day=TODAY - timedelta(days=1)).update(billed_mb_ms=10**15)
    watch()
    (odd,) = reader.get("/api/v1/costs/anomalies/?state=open").json()["results"]
    assert odd["function_name"] == "f-0"
    assert exact_sum(Decimal(part["amount"]) for part in odd["parts"]) == Decimal(odd["delta"])
    answer = reader.post(f"/api/v1/costs/anomalies/{odd['id']}/dismiss/", {"reason": "a test"}, format="json")
    assert answer.json()["state"] == "dismissed"
    assert (
        reader.post(f"/api/v1/costs/anomalies/{odd['id']}/dismiss/", {"reason": "x"}, format="json").status_code == 409
    )
    assert reader.post(f"/api/v1/costs/anomalies/{odd['id']}/reopen/").json()["state"] == "open"
    assert admin.delete(address).status_code == 204
