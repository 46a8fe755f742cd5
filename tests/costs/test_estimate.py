"""What one call, one day and one function cost, and the errors that other tools make."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from costs.choices import Meter
from costs.estimate import estimate
from costs.models import Price
from costs.selectors import cost_report
from services_registry.models import Function, FunctionDay, FunctionHour, FunctionRevision
from services_registry.pricing import Usage, tmp_mb_ms
from services_registry.telemetry.ingest import ingest_stream

pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]
GB_SECOND, REQUEST = Decimal("0.0000166667"), Decimal("0.0000002")
DAY = date(2026, 10, 15)
NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)


def test_the_worked_example_of_the_article() -> None:
    """1,000 at once x 48 h x 3,600 s x 1 GB. The price itself is 1/60,000 USD rounded, hence the six tenths of a cent."""
    runs = 1_000 * 48 * 4
    for region in ("us-east-1", "eu-west-1"):
        (whole,) = estimate([Usage(region, "x86_64", DAY, runs, Decimal(900_000 * 1_024 * runs))])
        (without_requests,) = estimate([Usage(region, "x86_64", DAY, 0, Decimal(900_000 * 1_024 * runs))])
        assert without_requests == 172_800_000 * GB_SECOND == Decimal("2880.00576")
        assert whole == Decimal("2880.00576") + runs * REQUEST == Decimal("2880.04416")
    for memory, usd in ((128, "360.00"), (3_008, "8460.02")):
        (cost,) = estimate([Usage("eu-west-1", "x86_64", DAY, 0, Decimal(900_000 * memory * runs))])
        assert cost is not None and round(cost, 2) == Decimal(usd)


def test_a_month_is_the_sum_of_its_hours_not_one_of_them(make_function: Make) -> None:
    function = make_function("bursty", memory_mb=1024)
    for hour in range(24):
        at = datetime(2026, 10, 15, hour, tzinfo=UTC)
        FunctionHour.objects.create(
            function=function, hour=at, invocations=hour + 1, billed_mb_ms=(hour + 1) * 1_024_000
        )
    FunctionDay.objects.create(function=function, day=DAY, invocations=300, billed_mb_ms=300 * 1_024_000)
    month = cost_report(date(2026, 10, 1), date(2026, 10, 31))
    assert month.total.usd == 300 * (GB_SECOND + REQUEST)


def test_a_hundred_small_functions_are_not_free_and_nothing_is_negative(make_function: Make) -> None:
    """Taking the free tier off each function would make all of them free, or even pay something back."""
    for number in range(100):
        FunctionDay.objects.create(
            function=make_function(f"small-{number}"), day=DAY, invocations=10_000, billed_mb_ms=4_000 * 1_024_000
        )
    report = cost_report(date(2026, 10, 1), date(2026, 10, 31))
    assert report.total.usd == 100 * (4_000 * GB_SECOND + 10_000 * REQUEST)
    assert min(amount.usd for amount in report.functions.values()) > 0


def line(request_id: str, billed: int, *, more: str = "") -> str:
    return (
        f"REPORT RequestId: {request_id}\tDuration: {billed - 479.6:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: 1024 MB\tMax Memory Used: 134 MB\t{more}"
    )


def take_in(function: Function, *lines: str) -> date:
    """Yesterday's log of a function; returns the day."""
    at = timezone.now().astimezone(UTC) - timedelta(days=1)
    events = [json.dumps({"timestamp": int(at.timestamp() * 1000), "message": text}) for text in lines]
    counts = ingest_stream(io.StringIO("\n".join(events)), function_name=function.name)
    assert counts.reports == len(lines) and not counts.rejected
    return at.date()


def test_init_is_billed_and_so_estimated(make_function: Make) -> None:
    function = make_function("cold", memory_mb=1024)
    day = take_in(function, line("6f1c1d9e-0000-4000-8000-000000000001", 900_480, more="Init Duration: 479.60 ms\t"))
    assert cost_report(day, day).functions[function].usd == Decimal("900.48") * GB_SECOND + REQUEST


def test_each_attempt_of_an_asynchronous_call_has_a_bill_of_its_own(make_function: Make) -> None:
    function = make_function("retried", memory_mb=1024)
    same = "6f1c1d9e-0000-4000-8000-000000000002"
    attempts = [line(same, billed, more="Status: timeout") for billed in (900_001, 900_002, 900_003)]
    day = take_in(function, *attempts, attempts[0])
    assert cost_report(day, day).functions[function].usd == Decimal("2700.006") * GB_SECOND + 3 * REQUEST


def test_only_tmp_above_512_mb_costs(make_function: Make) -> None:
    plain, roomy = make_function("plain", memory_mb=1024), make_function("roomy", memory_mb=1024, ephemeral_mb=2560)
    for function in (plain, roomy):
        FunctionDay.objects.create(
            function=function, day=DAY, invocations=1, billed_ms=1_000_000, billed_mb_ms=1_024 * 1_000_000
        )
    functions = cost_report(DAY, DAY).functions
    assert functions[roomy].usd - functions[plain].usd == 1_000 * 2 * Decimal("0.0000000340")
    assert tmp_mb_ms(512, 1_000) == tmp_mb_ms(128, 1_000) == 0


def test_warm_environments_cost_whether_called_or_not(make_function: Make) -> None:
    warm = make_function(
        "warm", memory_mb=2048, provisioned=[{"qualifier": "live", "environments": 3}],
        first_seen=datetime(2026, 10, 14, 9, tzinfo=UTC),
    )  # fmt: skip
    report = cost_report(date(2026, 10, 10), DAY)
    a_day = 3 * 2 * 86_400 * Decimal("0.0000046460")
    assert report.total.usd == report.functions[warm].usd == report.warm == 2 * a_day, "since it is known: two days"
    today = timezone.now().astimezone(UTC).date()
    assert cost_report(today, today).total.usd < a_day, "of today what has passed"
    Price.objects.filter(meter=Meter.PROVISIONED_GB_SECOND).delete()
    report = cost_report(date(2026, 10, 10), DAY)
    assert report.total.usd == 0 and report.unpriced_warm == 2


def test_a_new_configuration_does_not_rewrite_what_the_old_one_cost(make_function: Make) -> None:
    function = make_function("moved", memory_mb=1024, architecture="arm64", first_seen=NOON - timedelta(days=9))
    FunctionRevision.objects.create(
        function=function, seen=NOON,
        changes={"architecture": ["x86_64", "arm64"], "provisioned": [[{"qualifier": "$", "environments": 1}], []]},
    )  # fmt: skip
    for day in (DAY - timedelta(days=1), DAY):
        FunctionDay.objects.create(function=function, day=day, invocations=0, billed_mb_ms=1_024_000_000)
    days = cost_report(DAY - timedelta(days=1), DAY).days
    assert days[DAY].usd == 1_000 * Decimal("0.0000133334")
    assert days[DAY - timedelta(days=1)].usd == 1_000 * GB_SECOND + 86_400 * Decimal("0.0000046460")
