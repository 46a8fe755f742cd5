"""CloudWatch's own count against ours: read hourly, replaced when restated, and honest about what it covers."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.aws import meter
from core.aws.clients import boto_client
from core.aws.metrics import ASKED
from core.aws_calls.models import AwsBudget, AwsCallDay
from core.aws_calls.prices import seed_prices
from services_registry.models import Function, MetricDay, MetricHour, MetricMinute, MetricPlace
from services_registry.tasks import check_metrics, clean_reports, watch_hot
from services_registry.telemetry.ingest import ingest_stream
from services_registry.telemetry.metrics import hot
from tests.telemetry.conftest import report_line, request_id

NOW = datetime.now(UTC)
HOUR = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
Make = Callable[[str], Function]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of each test, not that of the start of the run: a long run crosses hours."""
    now = datetime.now(UTC)
    monkeypatch.setitem(globals(), "NOW", now)
    monkeypatch.setitem(globals(), "HOUR", now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2))


@pytest.fixture
def watched(make_function: Make) -> Function:
    """A name that no other test has put metrics under."""
    return make_function(f"watched-{uuid.uuid4().hex[:8]}")


def put(function: Function, at: datetime | None = None, **values: float) -> None:
    data: list[Any] = [
        {"MetricName": metric, "Timestamp": at or HOUR, "Value": value,
         "Dimensions": [{"Name": "FunctionName", "Value": function.name}]}
        for metric, value in values.items()
    ]  # fmt: skip
    boto_client("cloudwatch", function.region).put_metric_data(Namespace="AWS/Lambda", MetricData=data)


def lines(function: Function, *numbers: int, at: datetime | None = None) -> None:
    events = [
        json.dumps({
            "logGroup": f"/aws/lambda/{function.name}", "timestamp": int((at or HOUR).timestamp() * 1000) + 60_000,
            "message": report_line(request_id(number)),
        })
        for number in numbers
    ]  # fmt: skip
    ingest_stream(io.StringIO("\n".join(events)), door="firehose")


def check_again() -> None:
    MetricPlace.objects.update(checked=None)
    check_metrics()


def days_of(function: Function) -> tuple[int, int, int, int | None]:
    row = MetricDay.objects.get(function=function)
    return row.invocations, row.errors, row.throttles, row.ours


def test_an_hour_is_read_once_compared_and_replaced_when_restated(watched: Function) -> None:
    put(watched, Invocations=3, Errors=1, Throttles=2, Duration=150, ConcurrentExecutions=2)
    put(watched, at=HOUR + timedelta(minutes=5), Duration=50, ConcurrentExecutions=4)
    lines(watched, 1, 2)
    check_metrics()
    row = MetricHour.objects.get()
    assert (row.hour, row.invocations, row.errors, row.throttles) == (HOUR, 3, 1, 2)
    assert (row.duration_ms, row.duration_max_ms, row.concurrency) == (200, 150, 4)
    assert days_of(watched) == (3, 1, 2, 2)
    place = MetricPlace.objects.get()
    assert place.until == NOW.replace(minute=0, second=0, microsecond=0) and not place.problem
    check_again()
    assert MetricHour.objects.get().pk == row.pk and days_of(watched) == (3, 1, 2, 2)
    put(watched, Invocations=1, Errors=1)  # a long call that failed: told late, for the hour it began in
    lines(watched, 3, 4, at=HOUR + timedelta(minutes=1))
    check_again()
    assert days_of(watched) == (4, 2, 2, 4)


def test_the_hour_under_way_is_left_alone_and_a_silent_hour_is_a_gap(watched: Function) -> None:
    put(watched, at=NOW, Invocations=7)
    check_metrics()
    assert not MetricHour.objects.exists() and not MetricDay.objects.exists()


def test_lines_that_cloudwatch_does_not_know_and_functions_without_lines_are_differences(
    watched: Function, make_function: Make
) -> None:
    silent = make_function(f"silent-{uuid.uuid4().hex[:8]}")
    put(silent, Invocations=5)
    lines(watched, 1, 2)
    check_metrics()
    assert days_of(silent) == (5, 0, 0, None)
    assert days_of(watched) == (0, 0, 0, 2)


def test_late_lines_are_compared_anew_at_night_without_asking_aws(watched: Function) -> None:
    put(watched, Invocations=2)
    check_metrics()
    assert days_of(watched)[3] is None
    lines(watched, 1, 2)
    meter._counted.clear()
    clean_reports()
    assert days_of(watched)[3] == 2
    assert not meter._counted


def test_many_functions_are_asked_about_in_few_calls_and_each_metric_is_paid_for(make_function: Make) -> None:
    for n in range(90):
        make_function(f"many-{n}")
    meter._counted.clear()
    check_metrics()
    meter.flush()
    row = AwsCallDay.objects.get(operation="GetMetricData")
    assert (row.calls, row.units) == (2, Decimal(90 * len(ASKED)))  # 500 queries a call, 336 hours each


def test_it_waits_for_its_hour_slows_down_with_the_budget_and_a_click_goes_through(watched: Function) -> None:
    seed_prices()
    check_metrics()
    put(watched, Invocations=1)
    check_metrics()
    assert not MetricHour.objects.exists()  # asked less than an hour ago
    AwsBudget.objects.create(monthly_usd=1)
    AwsCallDay.objects.create(day=NOW.date(), service="cloudwatch", operation="GetMetricData", units=200_000)
    check_again()
    assert not MetricHour.objects.exists()  # the month's dollar is spent
    check_metrics(asked=True)
    assert MetricHour.objects.get().invocations == 1


def test_a_place_that_cannot_be_read_says_so_and_keeps_its_position(watched: Function, settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    check_metrics()
    place = MetricPlace.objects.get()
    assert "could not be reached" in place.problem and place.until is None and place.checked is not None


def test_nothing_is_asked_about_samples_gone_functions_and_our_own_rows(watched: Function, settings: Any) -> None:
    Function.objects.update(sample=True)
    check_metrics()
    Function.objects.update(sample=False, gone=NOW)
    check_metrics()
    settings.METRIC_CHECKS = False
    Function.objects.update(gone=None)
    check_metrics()
    assert not MetricPlace.objects.exists()


def test_hot_functions_are_read_by_the_minute_until_their_time_is_over(
    watched: Function, make_function: Make, operator: User
) -> None:
    other = make_function(f"other-{uuid.uuid4().hex[:8]}")
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=3)
    for function in (watched, other):
        put(function, at=minute, Invocations=2, ConcurrentExecutions=9)
    watch_hot()
    assert not MetricMinute.objects.exists()
    hot.mark_hot(watched, hours=2, actor=operator, source="page")
    watch_hot()
    watch_hot()
    row = MetricMinute.objects.get()
    assert (row.function, row.minute, row.invocations, row.concurrency) == (watched, minute, 2, 9)
    MetricMinute.objects.update(minute=NOW - timedelta(days=16))
    clean_reports()
    assert not MetricMinute.objects.exists()
    hot.cool(watched, actor=operator, source="page")
    assert not hot.hot_ids()
