"""Price tiers and the free tier belong to an account's month: parts add up to the whole whatever they are split by."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from costs.choices import AccountLineKind, Meter
from costs.estimate import exact_sum
from costs.models import CostDay, CostFunctionMonth, ExchangeRate, FreeTier, Price
from costs.selectors import CostReport, cost_report, series_of
from costs.sums import refresh_month
from services_registry.models import Function, FunctionDay

pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]
MB_MS = 1_024_000  # of a GB-second
FIRST, SECOND, THIRD = (Decimal(text) for text in ("0.0000166667", "0.0000150000", "0.0000133334"))


def tiers(region: str, architecture: str, *bounds: int) -> None:
    """The second and the third price from so many GB-seconds a month on."""
    for start, usd in zip(bounds, (SECOND, THIRD), strict=False):
        Price.objects.update_or_create(
            region=region, meter=Meter.GB_SECOND, architecture=architecture, tier_from=start, valid_from=date(2025, 8, 1),
            defaults={"usd": usd, "source": "test", "checked_on": date(2026, 11, 1)},
        )  # fmt: skip


def used(function: Function, day: date, gb_seconds: int, requests: int = 0) -> None:
    FunctionDay.objects.create(function=function, day=day, invocations=requests, billed_mb_ms=gb_seconds * MB_MS)


def free_tier(account: str, requests: int, gb_seconds: int) -> None:
    day = date(2026, 9, 1)
    FreeTier.objects.create(
        account=account, requests=requests, gb_seconds=gb_seconds, valid_from=day, source="AWS Lambda pricing page"
    )


def of_kind(report: CostReport, kind: AccountLineKind) -> Decimal:
    return exact_sum(amount.usd for (_account, line), amount in report.lines.items() if line == kind)


def test_six_billion_gb_seconds_are_the_first_tier_of_the_account_not_of_a_function(make_function: Make) -> None:
    tiers("us-east-1", "x86_64", 6_000_000_000, 15_000_000_000)
    one, other = (make_function(name, region="us-east-1") for name in ("one", "other"))
    used(one, date(2026, 10, 3), 4_000_000_000)
    used(other, date(2026, 10, 20), 13_000_000_000)
    month = cost_report(date(2026, 10, 1), date(2026, 10, 31))
    billion = 1_000_000_000
    assert month.total.usd == 6 * billion * FIRST + 9 * billion * SECOND + 2 * billion * THIRD
    assert month.functions[one].usd == 4 * billion * FIRST and month.functions[other].usd == 13 * billion * FIRST
    assert of_kind(month, AccountLineKind.VOLUME) == 9 * billion * (SECOND - FIRST) + 2 * billion * (THIRD - FIRST)
    late = cost_report(date(2026, 10, 15), date(2026, 10, 31))
    assert late.total.usd == 2 * billion * FIRST + 9 * billion * SECOND + 2 * billion * THIRD, "it began on the 3rd"
    used(other, date(2026, 11, 2), 1_000)
    assert cost_report(date(2026, 11, 2), date(2026, 11, 2)).total.usd == 1_000 * FIRST, "the next month begins anew"


def test_the_free_tier_is_taken_once_from_an_account_that_has_one(make_function: Make) -> None:
    free_tier("123456789012", 1_000_000, 400_000)
    functions = [make_function(f"f-{number}") for number in range(3)]
    other = make_function("other", account="999999999999")
    for function in (*functions, other):
        used(function, date(2026, 10, 5), 300_000, 600_000)
    report = cost_report(date(2026, 10, 1), date(2026, 10, 31))
    each = 300_000 * FIRST + 600_000 * Decimal("0.0000002")
    off = 400_000 * FIRST + 1_000_000 * Decimal("0.0000002")
    assert [report.functions[function].usd for function in functions] == [each] * 3, "no function gets a share of it"
    assert report.lines.keys() == {("123456789012", AccountLineKind.FREE_TIER)}
    assert report.grouped("account")["123456789012"].usd == 3 * each - off
    assert report.grouped("account")["999999999999"].usd == each


def test_an_account_inside_its_free_tier_costs_nothing_and_never_less(make_function: Make) -> None:
    free_tier("123456789012", 1_000_000, 400_000)
    small = make_function("small")
    for day in (2, 3, 30):
        used(small, date(2026, 10, day), 100, 50)
    report = cost_report(date(2026, 10, 1), date(2026, 10, 31))
    assert report.total.usd == 0 and report.functions[small].usd > 0
    assert all(amount.usd == 0 for amount in report.days.values())


def test_parts_add_up_in_every_view_with_tiers_free_tiers_and_changed_prices(make_function: Make) -> None:
    dice = random.Random(20_261_124)
    for region, architecture in (("eu-west-1", "x86_64"), ("eu-west-1", "arm64"), ("eu-south-1", "x86_64")):
        tiers(region, architecture, 5_000, 9_000)
    free_tier("111111111111", 3_000, 1_500)
    changed = Price(region="eu-west-1", meter=Meter.GB_SECOND, architecture="x86_64", valid_from=date(2026, 10, 9))
    changed.usd, changed.source, changed.checked_on = Decimal("0.0000171"), "test", date(2026, 11, 1)
    changed.save()
    ExchangeRate.objects.create(currency="EUR", valid_from=date(2026, 10, 7), per_usd=Decimal("0.91"), source="test")
    places = [("eu-west-1", "x86_64"), ("eu-west-1", "arm64"), ("eu-south-1", "x86_64")]
    functions, rows = [], []
    for number in range(9):
        region, architecture = places[number % 3]
        account = "111111111111" if number < 6 else "222222222222"
        facts = {"owner": f"team-{number % 2}", "capability": f"kind-{number % 4}", "account": account}
        functions.append(make_function(f"f-{number}", region=region, architecture=architecture, **facts))
    for step in range(45):
        for function in dice.sample(functions, 4):
            day, mb_ms = date(2026, 9, 1) + timedelta(days=step), dice.randrange(1, 900 * MB_MS)
            rows.append((function, day, dice.randrange(1, 400), Decimal(mb_ms)))
    for function, day, requests, mb_ms_of in rows:
        FunctionDay.objects.create(function=function, day=day, invocations=requests, billed_mb_ms=mb_ms_of)
    for first, last in ((date(2026, 9, 1), date(2026, 10, 15)), (date(2026, 9, 17), date(2026, 10, 3))):
        report = cost_report(first, last)
        lines = exact_sum(amount.usd for amount in report.lines.values())
        assert lines < 0 < report.total.usd
        _days, series = series_of(report)
        by_day = [amount.usd for amount in report.days.values()]
        assert exact_sum(by_day) == exact_sum(usd for values in series.values() for usd in values) == report.total.usd
        assert min(by_day) >= 0, "nothing is ever paid back"
        for name in ("owner", "capability"):
            assert exact_sum([*(part.usd for part in report.grouped(name).values()), lines]) == report.total.usd
        assert exact_sum(part.usd for part in report.grouped("account").values()) == report.total.usd
        assert exact_sum([*(part.usd for part in report.functions.values()), lines]) == report.total.usd
        days_eur = [amount.eur for amount in report.days.values()]
        assert exact_sum(days_eur) == report.total.eur
        split = [cost_report(first + timedelta(days=n), first + timedelta(days=n)).total.usd for n in range(3)]
        assert exact_sum(split) == cost_report(first, first + timedelta(days=2)).total.usd, "day by day is the same"
        assert Fraction(report.total.usd) == _as_aws_counts(rows, first, last)


def _as_aws_counts(rows: list[tuple[Function, date, int, Decimal]], first: date, last: date) -> Fraction:
    """The same bill reckoned another way: GB-second by GB-second along the month, in fractions."""
    bounds = (Fraction(5_000), Fraction(9_000))
    first_tier = {"x86_64": Fraction(FIRST), "arm64": Fraction("0.0000133334"), "eu-south-1": Fraction("0.0000195172")}
    run: defaultdict[tuple[int, str, str, str], Fraction] = defaultdict(Fraction)
    free: defaultdict[tuple[int, str], list[Fraction]] = defaultdict(lambda: [Fraction(3_000), Fraction(1_500)])
    whole = Fraction(0)
    for function, day, requests, mb_ms in sorted(rows, key=lambda row: (row[1], row[0].region, row[0].architecture)):
        place = (day.month, function.account, function.region, function.architecture)
        base = first_tier.get(function.region) or first_tier[function.architecture]
        if place[2:] == ("eu-west-1", "x86_64") and day >= date(2026, 10, 9):
            base = Fraction("0.0000171")
        at, left, cost = run[place], Fraction(mb_ms) / MB_MS, Fraction(0)
        per_request = Fraction("0.00000023" if function.region == "eu-south-1" else "0.0000002")
        if function.account == "111111111111":
            account = free[day.month, function.account]
            taken = min(account[0], Fraction(requests)), min(account[1], left)
            account[0], account[1] = account[0] - taken[0], account[1] - taken[1]
            cost -= taken[0] * per_request + taken[1] * base
        while left > 0:
            tier = sum(at >= bound for bound in bounds)
            step = min(left, bounds[tier] - at) if tier < len(bounds) else left
            cost += step * (base, Fraction(SECOND), Fraction(THIRD))[tier]
            at, left = at + step, left - step
        run[place] = at
        if first <= day <= last:
            whole += cost + requests * per_request
    return whole


def test_a_free_tier_begins_and_ends_with_whole_months() -> None:
    row = FreeTier(account="1", valid_from=date(2026, 10, 20), valid_until=date(2026, 12, 5), source="test")
    months = [date(2026, month, 1) for month in (9, 10, 11, 12)]
    assert [row.holds_in(month) for month in months] == [False, True, True, False]


def test_the_page_shows_the_lines_of_accounts(
    make_function: Make, client_as: Callable[..., object], viewer: object
) -> None:
    today = datetime.now(UTC).date()
    free_tier("123456789012", 1_000_000, 400_000)
    used(make_function("small"), today, 100, 50)
    text = client_as(viewer).get("/costs/range/?range=24h").content.decode()  # type: ignore[attr-defined]
    assert "free tier of 123456789012" in text


def test_the_sums_that_pages_keep_add_up_to_the_same(make_function: Make) -> None:
    tiers("eu-west-1", "x86_64", 500)
    free_tier("123456789012", 100, 300)
    warm = make_function(
        "warm", provisioned=[{"environments": 1}], first_seen=datetime(2026, 10, 2, tzinfo=UTC), owner="a"
    )
    for day in (3, 20):
        used(warm, date(2026, 10, day), 400, 70)
    refresh_month(date(2026, 10, 1))
    report = cost_report(date(2026, 10, 1), date(2026, 10, 31))
    assert exact_sum(CostDay.objects.values_list("usd", flat=True)) == report.total.usd
    lines = CostDay.objects.exclude(line="").order_by("line").values_list("line", flat=True).distinct()
    assert list(lines) == ["free_tier", "volume"]
    assert CostFunctionMonth.objects.get().usd == report.functions[warm].usd
