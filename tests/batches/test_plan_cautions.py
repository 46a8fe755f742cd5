"""What a plan warns about, and that a healthy one keeps quiet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from services_registry.batches.plan import plan_run
from services_registry.models import Batch, Chunk, EngineSettings, FreezeWindow, Function, FunctionHour
from services_registry.registry.runtimes import deprecation_of
from tests.batches.plans import FUNCTION, codes, crates, crates_bound, planned, ran


@pytest.fixture(autouse=True)
def function(db: None) -> Iterator[Function]:
    with crates_bound() as row:
        yield row


def test_a_healthy_plan_is_quiet() -> None:
    assert codes(planned(crates(3))) == []


@pytest.mark.parametrize(
    ("fields", "code", "severity"),
    [
        ({"reserved_concurrency": 0}, "stopped", "danger"),
        ({"gone": timezone.now()}, "gone", "danger"),
        ({"name": "another"}, "unknown", "warning"),
        ({"dispatch_limit": 0}, "held", "danger"),
        ({"runtime": "python3.9"}, "runtime_deprecated", "warning"),
        ({"dead_letter": ""}, "no_dead_letter", "info"),
    ],
)
def test_what_the_registry_knows_is_said(fields: dict[str, Any], code: str, severity: str) -> None:
    Function.objects.update(**fields)
    warning = planned(crates(3)).snapshot()["warnings"][0]
    assert (warning["code"], warning["severity"]) == (code, severity)


def test_the_engine_held_by_its_limit_is_said() -> None:
    EngineSettings.objects.create(concurrency=0)
    plan = planned(crates(3))
    assert codes(plan) == ["held"] and plan.seconds is None


def freeze(starts_in: timedelta, length: timedelta) -> None:
    starts = timezone.now() + starts_in
    FreezeWindow.objects.create(name="peak", starts=starts, ends=starts + length, reason="Black Friday")


def test_a_freeze_is_said_while_it_lasts_and_an_hour_before() -> None:
    freeze(timedelta(hours=-3), timedelta(hours=2))
    freeze(timedelta(hours=2), timedelta(hours=2))
    assert codes(planned(crates(3))) == []
    freeze(timedelta(minutes=40), timedelta(hours=1))
    assert codes(planned(crates(3))) == ["freeze_soon"]
    freeze(timedelta(minutes=-5), timedelta(hours=1))
    first = planned(crates(3)).warnings[0]
    assert first.code == "freeze" and "Black Friday" in first.text


@pytest.mark.parametrize(
    ("invocations", "errors", "warned"), [(19, 19, False), (40, 2, False), (40, 3, True), (0, 0, False)]
)
def test_errors_of_the_last_hour_need_a_sample(function: Function, invocations: int, errors: int, warned: bool) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    FunctionHour.objects.create(function=function, hour=hour, invocations=invocations, errors=errors)
    FunctionHour.objects.create(function=function, hour=hour - timedelta(hours=3), invocations=100, errors=100)
    plan = planned(crates(3))
    assert ("failing" in codes(plan)) is warned
    if warned:
        assert "(3 of 40)" in plan.warnings[0].text


def test_many_open_batches_and_a_large_one_are_said() -> None:
    Batch.objects.bulk_create(Batch(title="waits", function_name=FUNCTION) for _ in range(6))
    assert codes(planned([f"c{number}-0-@" for number in range(10_001)])) == ["queue", "large"]


def test_fewer_free_places_than_wanted_are_said() -> None:
    Function.objects.update(reserved_concurrency=4)
    batch = ran((1_000, 1))
    Chunk.objects.bulk_create(Chunk(batch=batch, position=number, state="running") for number in range(1, 4))
    assert codes(planned(crates(500))) == ["busy"]


def test_a_plain_payload_that_no_call_takes_is_a_danger() -> None:
    warning = plan_run(FUNCTION, [{"body": "x" * 7_000_000}]).warnings[0]
    assert (warning.code, warning.severity) == ("payload_too_large", "danger")


@pytest.mark.parametrize(
    ("runtime", "on"),
    [("python3.10", date(2026, 10, 31)), ("nodejs22.x", date(2027, 4, 30)), ("java17", date(2027, 6, 30))],
)
def test_runtimes_have_their_published_dates(runtime: str, on: date) -> None:
    found = deprecation_of(runtime)
    assert found is not None and found.on == on


@pytest.mark.parametrize(
    ("days_before", "expected"), [(91, []), (90, ["runtime_soon_deprecated"]), (0, ["runtime_deprecated"])]
)
def test_a_runtime_is_announced_ninety_days_ahead(
    monkeypatch: pytest.MonkeyPatch, days_before: int, expected: list[str]
) -> None:
    Function.objects.update(runtime="nodejs22.x")
    day = date(2027, 4, 30) - timedelta(days=days_before)
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    assert codes(planned(crates(3))) == expected
