"""Each rule: what it takes to hold, its numbers, its money, and what is not enough."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services_registry.choices import SizeSource
from services_registry.guardrails.evaluate import evaluate
from services_registry.guardrails.rule import rules
from services_registry.models import Finding, Function, FunctionHour, Layer, LayerVersion, RuleThreshold
from services_registry.models import PackageSize as PackageSizeRow
from tests.guardrails.conftest import NOW

Make = Callable[..., Function]
Calls = Callable[..., None]
pytestmark = pytest.mark.usefixtures("prices")


def found(slug: str) -> dict[str, Finding]:
    """What a rule says now, by the name of the function."""
    evaluate(only=[rules()[slug]], now=NOW)
    return {row.function.name: row for row in Finding.objects.filter(rule=slug, state="open")}


def test_more_than_a_tenth_of_a_days_calls_timed_out(make_function: Make, calls: Calls) -> None:
    over, few, at_limit, unsure = (make_function(name) for name in ("over", "few", "at-limit", "unsure"))
    calls(over, 27)
    calls(over, 3 + 1, ms=30_000, status="timeout")
    calls(few, 90)
    calls(few, 9, ms=30_000, status="timeout")
    calls(at_limit, 18)
    calls(at_limit, 2, ms=30_000, status="timeout")
    calls(unsure, 19, ms=30_000, status="timeout")
    rows = found("timeouts")
    assert set(rows) == {"over"}
    evidence = rows["over"].evidence
    assert (evidence["timeouts"], evidence["calls"], evidence["limit"], evidence["least_calls"]) == (4, 31, 0.1, 20)
    # 4 calls x 30 s x 1 GB a day, and their requests, over 30 days
    exact = (4 * 30 * Decimal("0.0000166667") + 4 * Decimal("0.0000002")) * 30
    assert rows["over"].money_usd == exact
    assert rows["over"].severity == "warning"
    assert "4 of 31 calls" in rules()["timeouts"].sentence(evidence)


def test_time_outs_close_only_after_a_whole_day_without(make_function: Make, calls: Calls) -> None:
    function = make_function("mended")
    calls(function, 30, days_ago=1, ms=30_000, status="timeout")
    calls(function, 30)
    assert found("timeouts")["mended"].severity == "danger", "yesterday was bad, today so far is good"
    other = make_function("long-mended")
    calls(other, 30, days_ago=2, ms=30_000, status="timeout")
    calls(other, 30, days_ago=1)
    quiet = make_function("silent-since")
    calls(quiet, 30, days_ago=4, ms=30_000, status="timeout")
    assert set(found("timeouts")) == {"mended", "silent-since"}


def test_a_time_out_above_four_minutes_or_far_above_the_p99(make_function: Make, calls: Calls) -> None:
    long, far, near, short, unsure = (
        make_function("long", timeout_s=900), make_function("far", timeout_s=120), make_function("near", timeout_s=120),
        make_function("short", timeout_s=30), make_function("unsure", timeout_s=120),
    )  # fmt: skip
    calls(long, 5, ms=1_000)
    for function, ms in ((far, 2_000.0), (near, 20_000.0), (short, 100.0)):
        calls(function, 200, ms=ms)
    calls(far, 1, ms=120_000, status="timeout")
    calls(unsure, 99, ms=100)
    rows = found("timeout-setting")
    assert {name: row.severity for name, row in rows.items()} == {"long": "warning", "far": "info"}
    assert rows["long"].evidence["p99_ms"] is None and rows["long"].money_usd is None, "five calls say nothing"
    assert "only 5 calls in 14 days" in rules()["timeout-setting"].sentence(rows["long"].evidence)
    evidence = rows["far"].evidence
    assert evidence["factor"] == pytest.approx(60, rel=0.02)
    assert (evidence["calls"], evidence["better_s"]) == (201, 4)
    wasted = (120 - 4) * Decimal("0.0000166667") * 30 / 14
    assert rows["far"].money_usd == pytest.approx(wasted)
    assert Decimal(evidence["hung_call_usd"]) == 120 * Decimal("0.0000166667") + Decimal("0.0000002")


@pytest.mark.slow
def test_busy_all_day_against_a_small_server(make_function: Make, calls: Calls) -> None:
    names = ("drainer", "bursty", "small", "two-days")
    drainer, bursty, small, two = (make_function(name, memory_mb=1024 if name != "small" else 128) for name in names)
    elsewhere = make_function("elsewhere", memory_mb=1024, region="eu-north-1")
    for days_ago in (1, 2, 3):
        for hour in range(24):
            calls(drainer, 4, days_ago=days_ago, hour=hour, ms=900_000)
            calls(small, 4, days_ago=days_ago, hour=hour, ms=900_000)
            calls(elsewhere, 4, days_ago=days_ago, hour=hour, ms=900_000)
            if days_ago < 3:
                calls(two, 4, days_ago=days_ago, hour=hour, ms=900_000)
        calls(bursty, 96, days_ago=days_ago, ms=900_000)
    FunctionHour.objects.bulk_create([
        FunctionHour(function=drainer, hour=(NOW - timedelta(days=1)).replace(hour=hour), origin="sample", duration_ms=60_000)
        for hour in range(24)
    ])  # fmt: skip
    rows = found("busy-all-day")
    assert Decimal(rows.pop("elsewhere").evidence["server_usd"]) == Decimal("12.264"), (
        "no price of that region: the limit"
    )
    assert set(rows) == {"drainer"}, "as many hours in one burst, a cheap one, and two days are no case for a server"
    evidence = rows["drainer"].evidence
    assert (evidence["share"], evidence["busy_days"], evidence["calls"], evidence["servers"]) == (1.0, 3, 288, 1)
    month = (86_400 * Decimal("0.0000166667") + 96 * Decimal("0.0000002")) * 30
    assert Decimal(evidence["lambda_usd"]) == month
    assert rows["drainer"].money_usd == month - Decimal("0.0192") * 730, "a t4g.small in eu-central-1 by the price book"


def test_code_and_layers_over_four_fifths_of_the_quota(make_function: Make) -> None:
    quota = 262_144_000
    layer: dict[str, Any] = {"arn": "arn:aws:lambda:eu-central-1:1:layer:big:3", "bytes": quota // 9}
    big = Layer.objects.create(arn=layer["arn"][:-2], account="1", region="eu-central-1", name="big")
    LayerVersion.objects.create(layer=big, version=3, arn=layer["arn"], code_bytes=layer["bytes"])
    shares = {"near": 0.31, "wall": 0.46, "room": 0.29}
    for name, share in shares.items():
        make_function(name, code_bytes=1000, code_sha256=name, layers=[layer])
        PackageSizeRow.objects.create(content=name, unzipped_bytes=int(quota * share), source=SizeSource.MEASURED)
    PackageSizeRow.objects.create(content=layer["arn"], unzipped_bytes=quota // 2, source=SizeSource.STATED)
    make_function("image", code_bytes=quota, package_type="Image")
    make_function("guessed", code_bytes=quota // 3)
    make_function("packed-over", code_bytes=int(quota * 0.9))
    rows = found("package-size")
    assert {name: row.severity for name, row in rows.items()} == {
        "near": "warning", "wall": "danger", "guessed": "info", "packed-over": "danger",
    }, "an estimate is a note, unless the packed size alone is over"  # fmt: skip
    assert rows["near"].money_usd is None and rows["near"].evidence["basis"] == "stated"
    assert dict(rules()["package-size"].rows(rows["near"].evidence))["big:3"] == "125.0 MB"


def test_limits_are_entered_with_the_day_from_which_they_hold(make_function: Make, calls: Calls) -> None:
    function = make_function("over")
    calls(function, 80)
    calls(function, 20, ms=30_000, status="timeout")
    assert found("timeouts")["over"].evidence["limit"] == 0.1
    RuleThreshold.objects.create(
        rule="timeouts", name="share", value="0.15", valid_from=date(2020, 1, 1), source="a try"
    )
    RuleThreshold.objects.create(rule="timeouts", name="share", value="0.5", valid_from=NOW.date(), source="decided")
    RuleThreshold.objects.create(rule="timeouts", name="share", value="0", valid_from=date(2999, 1, 1), source="later")
    assert found("timeouts") == {}, "20 % is under the limit that holds today"


@pytest.mark.slow
def test_every_rule_says_itself_in_words_numbers_and_a_chart(make_function: Make, calls: Calls) -> None:
    from plotly import graph_objects

    function = make_function("everything", timeout_s=900, code_bytes=262_000_000)
    for days_ago in range(4):
        for hour in range(24 if days_ago else 12):
            calls(function, 5, days_ago=days_ago, hour=hour, ms=900_000, status="timeout")
    evaluate(now=NOW)
    rows: dict[str, Any] = {row.rule: row for row in Finding.objects.all()}
    assert set(rows) == {"timeouts", "timeout-setting", "busy-all-day", "package-size"} <= set(rules())
    for slug, row in rows.items():
        rule, evidence = rules()[slug], row.evidence
        assert rule.sentence(evidence).endswith(".") and len(rule.rows(evidence)) > 3 and rule.advice and str(rule.why)
        graph_objects.Figure(rule.figure(evidence))
        assert str(rule.question).endswith("?")
