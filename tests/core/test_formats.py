"""Numbers, money, times and ranges as people read them."""

import json
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.http import QueryDict
from django.utils import timezone

from core import charts
from core.formats import bytes_text, duration_ms_text, short_id_text
from core.money import format_money
from core.templatetags.core_tags import age_text, badge, progress, sparkline
from core.timerange import time_range

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "estimate", "text"),
    [
        (Decimal("1234.5"), "USD", False, "$1,234.50"),
        (Decimal("0.0000041666667"), "EUR", True, "≈ €0.0000042"),
        (Decimal("-3"), "EUR", False, "-€3.00"),
        (Decimal(0), "USD", False, "$0.00"),
        (Decimal("12"), "CHF", False, "12.00 CHF"),
        (Decimal("0.005"), "USD", False, "$0.0050"),
        (None, "USD", True, "–"),
    ],
)
def test_money_always_names_its_currency(amount: Decimal | None, currency: str, estimate: bool, text: str) -> None:
    assert format_money(amount, currency, estimate=estimate) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 ms"),
        (4.23, "4.2 ms"),
        (312.4, "312 ms"),
        (999.6, "1.0 s"),
        (59_960, "1 min"),
        (200_000, "3 min 20 s"),
        (7_500_000, "2 h 05 min"),
    ],
)
def test_duration_reads_in_the_unit_that_fits(value: float | None, text: str) -> None:
    assert duration_ms_text(value) == text


def test_sizes_and_ids() -> None:
    assert [bytes_text(n) for n in (812, 4100, 6_000_000, None)] == ["812 B", "4.1 kB", "6.0 MB", "–"]
    assert short_id_text("0123456789abcdef0123") == "012345…ef0123"
    assert short_id_text("short") == "short"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(10, "just now"), (300, "5 min ago"), (7300, "2 h ago"), (3 * 86_400, "3 days ago"), (-300, "in 5 min")],
)
def test_age_is_told_in_words(seconds: int, text: str) -> None:
    assert age_text(NOW - timedelta(seconds=seconds), NOW) == text


def test_range_is_half_open_and_compares_with_the_period_before() -> None:
    chosen = time_range(QueryDict("range=24h"), now=NOW)
    assert (chosen.start, chosen.end) == (NOW - timedelta(hours=24), NOW)
    assert chosen.before().end == chosen.start


def test_custom_days_are_whole_days_of_the_persons_zone() -> None:
    with timezone.override(zoneinfo.ZoneInfo("Europe/Madrid")):
        chosen = time_range(QueryDict("range=custom&from=2026-10-25&to=2026-10-25"), now=NOW)
        assert chosen.length == timedelta(hours=25)  # the clocks went back
        assert chosen.start == datetime(2026, 10, 24, 22, tzinfo=UTC)
        assert chosen.query == "range=custom&from=2026-10-25&to=2026-10-25"


def test_a_custom_range_may_begin_and_end_within_a_day() -> None:
    with timezone.override(zoneinfo.ZoneInfo("Europe/Madrid")):
        chosen = time_range(QueryDict("range=custom&from=2026-11-20T10:00&to=2026-11-21T14:30"), now=NOW)
        assert (chosen.start, chosen.length) == (datetime(2026, 11, 20, 9, tzinfo=UTC), timedelta(hours=28.5))
        assert chosen.query == "range=custom&from=2026-11-20T10:00&to=2026-11-21T14:30"
        assert (str(chosen.last_day), chosen.last_time) == ("2026-11-21", "14:30")
        picked = "range=custom&from=2026-11-20&from_time=10:00&to=2026-11-20&to_time="
        mixed = time_range(QueryDict(picked), now=NOW)
        assert (mixed.length, mixed.query) == (timedelta(hours=14), "range=custom&from=2026-11-20T10:00&to=2026-11-20")


@pytest.mark.parametrize(
    "query",
    [
        "range=ever",
        "range=custom&from=x",
        "range=custom&from=2026-11-02&to=2026-11-01",
        "range=custom&from=2026-11-02T25:00",
        "range=custom&from=2026-11-02T10:00&to=2026-11-02T10:00",
        "range=custom&from=0001-01-01",
        "range=custom&from=9999-12-31&to=9999-12-31",
    ],
)
def test_senseless_range_becomes_the_usual_one_and_says_so(query: str) -> None:
    chosen = time_range(QueryDict(query), now=NOW)
    assert chosen.name == "7d"
    assert chosen.problem


def test_text_from_outside_is_escaped() -> None:
    assert "<b>" not in badge("<b>", "<b>", "made-up tone")
    assert "<i>" not in sparkline([1, None, 2], "<i>")


def test_progress_says_hundred_only_at_the_end() -> None:
    assert progress(done=999, total=1000)["percent"] == 99
    assert progress(done=990, failed=10, total=1000)["percent"] == 100


def test_figures_are_ones_that_plotly_accepts_and_gaps_stay_gaps() -> None:
    import plotly.graph_objects as go

    at = [NOW, NOW + timedelta(hours=1)]
    figure = charts.with_limit(
        charts.lines(at, {"p95": [1.5, None], "p50": [Decimal("1"), 2]}, y_title="ms"), 900, "time-out"
    )
    go.Figure(figure)
    go.Figure(charts.with_band(charts.bars(at, {"errors": [1, 2]}), *at))
    go.Figure(charts.with_marker(charts.ranking(["a", "b"], [2, 1]), NOW, "deploy"))
    headings, rows = charts.table_of(figure)
    assert headings == ["p95", "p50"]
    assert rows[1][1:] == [None, 2]


def test_a_year_of_days_is_named_by_its_first_and_reads_the_same() -> None:
    import plotly.graph_objects as go

    days = [f"{date(2025, 12, 1) + timedelta(days=n)}" for n in range(365)]
    calls: list[int | None] = [n if n % 7 else None for n in range(365)]
    whole = charts.with_before(charts.bars(days, {"calls": calls}), days, calls, "before")
    whole = charts.with_changes(
        charts.with_steps(whole, [(days[0], 30), (days[-1], 900)], "time-out"), [(days[3], "x")]
    )
    small = charts.compact(charts.with_range(whole, days[0], days[-1], 86_400_000))
    assert len(json.dumps(small)) < len(json.dumps(whole)) / 2
    headings, rows = charts.table_of(small)
    assert (headings, rows) == charts.table_of(whole)
    assert headings == ["calls", "before"] and len(rows) == 312  # days without any number are no rows
    assert [row[0] for row in rows] == [day for day, count in zip(days, calls, strict=True) if count is not None]
    go.Figure(charts.with_log_scale(small, {1.0: "1 ms"}))


def test_a_lone_point_between_gaps_is_drawn_as_a_dot() -> None:
    alone = charts.lines(["a", "b", "c"], {"p95": [None, 5, None], "p50": [1, 2, None]})
    assert [trace["mode"] for trace in alone["data"]] == ["lines+markers", "lines"]


def test_colours_are_stable_and_differ_within_a_chart() -> None:
    names = ["render_pdf", "fetch", "classify", "sync", "labels", "other"]
    assert charts.colours_for(names) == charts.colours_for(names)
    assert len(set(charts.colours_for(names).values())) == 6
    many = charts.top_series({f"s{n}": [n, 1] for n in range(9)})
    assert len(many) == 6
    assert many["other"] == [Decimal(0 + 1 + 2 + 3), Decimal(4)]
