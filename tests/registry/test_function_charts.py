"""The charts of a function's page: one range, gaps, limits that changed, marks, the period before, and few bytes."""

from __future__ import annotations

import json
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from services_registry.models import Function, FunctionDay, FunctionHour, FunctionRevision, MetricDay, MetricHour
from services_registry.telemetry.histogram import Histogram, bucket_of, encode

ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
Page = Callable[..., dict[str, Any]]


def day_of(function: Function, days_ago: int, calls: int, **fields: Any) -> FunctionDay:
    histogram = encode(Histogram(bucket_of(120 + n * 3) for n in range(150)))
    day = timezone.now().astimezone(UTC).date() - timedelta(days=days_ago)
    given = {"cold_starts": 2, "init_ms": 512.5, "billed_ms": 86_400_000, "max_memory_mb": 300} | fields
    return FunctionDay(function=function, day=day, invocations=calls, histogram=histogram, **given)


@pytest.fixture
def figures(client_as: ClientAs, viewer: User) -> Page:
    """The figures of the page by name, each accepted by Plotly."""

    def read(function: Function, query: str = "") -> dict[str, Any]:
        text = client_as(viewer).get(f"/functions/{function.pk}/?{query}").content.decode()
        found = re.findall(r'<script id="chart-(\w+)-data" type="application/json">(.*?)</script>', text, re.DOTALL)
        named = {name: json.loads(data) for name, data in found}
        for figure in named.values():
            go.Figure(figure)
        return named

    return read


def trace(figure: Any, name: str) -> Any:
    return next(trace for trace in figure["data"] if trace["name"] == name)


def test_a_day_without_reports_is_a_gap_and_not_zero(make_function: Make, figures: Page) -> None:
    function = make_function("gappy", reserved_concurrency=7)
    FunctionDay.objects.bulk_create([day_of(function, ago, 40) for ago in (1, 2, 4)])
    charts = figures(function, "range=30d")
    for chart, name, value in (
        ("durations", "p95", 546), ("running", "running at once", 1.0), ("memory", "memory used", 300),
        ("calls", "succeeded", 40), ("cold", "cold starts", 2), ("init", "init", 256.2),
    ):  # fmt: skip
        *_early, four, three, two, one, today = trace(charts[chart], name)["y"]
        assert (three, today) == (None, None), chart
        assert four == two == one == pytest.approx(value, rel=0.02), chart
    assert "reserved: 7" in json.dumps(charts["running"]["layout"]["annotations"])


def test_hours_are_of_the_viewers_clock_and_each_links_to_its_invocations(
    make_function: Make, client_as: ClientAs, viewer: User, settings: Any
) -> None:
    settings.DISPLAY_TIME_ZONE = "Asia/Tokyo"
    function = make_function("by-hour")
    hour = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    FunctionHour.objects.create(function=function, hour=hour, invocations=5, billed_ms=1000)
    client = client_as(viewer)
    shown = timezone.localtime(hour, zoneinfo.ZoneInfo("Asia/Tokyo"))
    text = client.get(f"/functions/{function.pk}/?range=24h").content.decode()
    link = re.search(r'href="([^"]+&amp;at=[^"]+)#invocations"', text)
    assert link is not None and f"{shown:%Y-%m-%dT%H}%3A00" in link[1]
    behind = client.get(link[1].replace("&amp;", "&").split("#")[0]).content.decode()
    assert f"{shown:%Y-%m-%d %H}:00:00" in behind and "Whole time range" in behind


def test_the_time_out_line_changes_where_a_revision_changed_it(make_function: Make, figures: Page) -> None:
    function = make_function("stepped", timeout_s=900)
    FunctionDay.objects.bulk_create([day_of(function, ago, 40) for ago in range(1, 20)])
    when = timezone.now() - timedelta(days=5)
    for at, change in ((when - timedelta(days=4), [3, 30]), (when, [30, 900])):
        FunctionRevision.objects.create(
            function=function, seen=at + timedelta(hours=1), changed=at, changes={"timeout_s": change}, by="ana"
        )
    charts = figures(function, "range=30d")
    line = trace(charts["durations"], "time-out 900 s")
    assert (line["y"], line["line"]["shape"]) == ([3_000, 30_000, 900_000, 900_000], "hv")
    assert line["x"][2] == f"{when.astimezone(UTC):%Y-%m-%dT%H:%M}"
    marks = trace(charts["memory"], "changes")
    assert marks["text"] == ["timeout: 3 s → 30 s", "timeout: 30 s → 900 s"]
    assert trace(figures(function, "range=7d")["durations"], "time-out 900 s")["y"] == [30_000, 900_000, 900_000]


def test_a_far_limit_is_shown_on_a_logarithmic_axis(make_function: Make, figures: Page) -> None:
    near, far = make_function("near", timeout_s=1), make_function("far", timeout_s=900)
    for function in (near, far):
        day_of(function, 1, 40).save()
    assert "type" not in figures(near)["durations"]["layout"]["yaxis"]
    assert figures(far)["durations"]["layout"]["yaxis"]["type"] == "log"


def test_the_period_before_is_drawn_over_the_same_days(make_function: Make, figures: Page) -> None:
    function = make_function("compared")
    day_of(function, 5, 40).save()
    day_of(function, 35, 90).save()
    assert [line["name"] for line in figures(function)["calls"]["data"]] == ["succeeded", "errors", "timeouts"]
    calls = figures(function, "compare=1")["calls"]
    assert trace(calls, "succeeded")["y"].index(40) == trace(calls, "the period before")["y"].index(90)


def test_throttles_and_peaks_come_from_cloudwatch_and_stand_in_where_no_line_came(
    make_function: Make, figures: Page
) -> None:
    function, silent = make_function("metered"), make_function("without-lines")
    day_of(function, 2, 40).save()
    today = timezone.now().astimezone(UTC)
    for ago in (2, 3):
        MetricDay.objects.create(
            function=function,
            day=today.date() - timedelta(days=ago),
            invocations=41,
            throttles=7,
            concurrency=9,
            until=today,
        )
    hour = today.replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    MetricHour.objects.create(function=silent, hour=hour, invocations=6, concurrency=2)
    charts = figures(function)
    assert trace(charts["calls"], "throttles")["y"][-4:] == [7, 7, None, None]
    assert trace(charts["calls"], "by CloudWatch only")["y"][-4:] == [41, None, None, None]
    assert trace(charts["running"], "most at once")["y"][-4:] == [9, 9, None, None]
    alone = figures(silent, "range=24h")
    assert set(alone) == {"calls", "running"}
    assert [n for n in trace(alone["calls"], "by CloudWatch only")["y"] if n] == [6]


def test_changes_are_listed_with_links_to_their_differences(
    make_function: Make, client_as: ClientAs, viewer: User
) -> None:
    function = make_function("deployed")
    day_of(function, 1, 4).save()
    at = datetime.now(UTC) - timedelta(days=3)
    revision = FunctionRevision.objects.create(function=function, seen=at, changes={"code_sha256": ["a", "b"]})
    FunctionRevision.objects.create(function=function, seen=at, changes={})  # first seen: nothing changed
    text = client_as(viewer).get(f"/functions/{function.pk}/").content.decode()
    assert "One change in this time" in text and '"text":["new code"]' in text
    assert f'href="#revision-{revision.pk}"' in text and f'id="revision-{revision.pk}"' in text


@pytest.mark.slow
def test_thirteen_busy_months_are_less_than_150_kilobytes(
    make_function: Make, client_as: ClientAs, viewer: User, figures: Page, query_budget: Any
) -> None:
    function = make_function("busy", memory_mb=1769)
    FunctionDay.objects.bulk_create(
        day_of(
            function, ago, 1_000_000 + ago * 7, errors=12_345, timeouts=2_345, billed_ms=123_456_789, cold_starts=9_876,
            init_ms=4_567_891.23, billed_mb_ms=218_395_059_741,
        ) for ago in range(1, 800)
    )  # fmt: skip
    for ago in range(60):
        at = timezone.now() - timedelta(days=ago * 6)
        FunctionRevision.objects.create(function=function, seen=at, changes={"memory_mb": [128 + ago, 127 + ago]})
    for query in ("range=13m&compare=1", "range=7d&compare=1"):
        charts = figures(function, query)
        assert sum(len(json.dumps(figure)) for figure in charts.values()) < 150_000
        assert len(charts) == 7
    client = client_as(viewer)
    page = client.get(f"/functions/{function.pk}/?range=13m&compare=1", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip" and len(page.content) < 150_000
    with query_budget(30):
        client.get(f"/functions/{function.pk}/?range=13m&compare=1")


def test_zooming_out_doubles_the_range_and_ends_now_at_the_latest(
    make_function: Make, client_as: ClientAs, viewer: User
) -> None:
    function = make_function("zoomed")
    text = client_as(viewer).get(
        f"/functions/{function.pk}/?range=custom&from=2026-06-10T10:00&to=2026-06-10T14:00&compare=1"
    ).content.decode()  # fmt: skip
    assert (
        f'href="/functions/{function.pk}/?range=custom&amp;from=2026-06-10T08:00&amp;to=2026-06-10T16:00&amp;compare=1"'
        in text
    )
    latest = client_as(viewer).get(f"/functions/{function.pk}/?range=7d").content.decode()
    last = re.search(r"from=[\dT:-]+&amp;to=([\d-]+)", latest)
    assert last is not None and last[1] <= f"{timezone.localdate()}"
