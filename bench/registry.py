"""The registry at volume: 1,000 functions with 13 months behind them. What its pages cost, and what they would if they summed.

Days are there for 13 months, hours for 60 days; SCALE=full keeps hours of 13 months too (9.5 million).
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import plotly.graph_objects as go
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.home import sql_ms
from bench.pages import browser_of
from bench.results import Result, at_least, at_most
from core.timerange import PRESETS, TimeRange
from costs.price_book import seed_prices
from services_registry.function_charts import charts_of, revisions_since
from services_registry.function_facts import QUICK, SLOW, add_percentiles, facts_of, summed, sums_of
from services_registry.models import (
    FleetDay,
    FleetHour,
    FleetUsage,
    Function,
    FunctionDay,
    FunctionHour,
    FunctionStanding,
    Layer,
    LayerVersion,
)
from services_registry.selectors import course_of
from services_registry.standings import refresh_standings
from services_registry.telemetry.histogram import bucket_of, encode

SMALL, BIG = 200, 1_000
MONTHS_13 = PRESETS["13m"][1]
HOURS_KEPT = timedelta(days=60)
SHAPES = 64
SQL_LIMIT_MS, PAGE_LIMIT_MS, PERCENTILES_LIMIT_MS, TRANSFER_LIMIT = 20.0, 100.0, 10.0, 150_000
OWNERS, LAYERS, VERSIONS, ROUNDS = 25, 40, 12, 9
REFRESH_LIMIT_S = 100
"""A third of the five minutes between two refreshes of the shorter ranges."""
_TRACES = {"bar": go.Bar, "scatter": go.Scatter}
_RUNTIMES = ("python3.12", "python3.11", "nodejs22.x", "java21", "provided.al2023")


def registry(actor: User, *, full: bool) -> Iterator[Result]:
    """Grow the fleet from 200 to 1,000 functions and look at it each time; then what stands behind the pages."""
    seed_prices()
    client, found, took = browser_of(actor), {}, {}
    for size in (SMALL, BIG):
        _grow(size, MONTHS_13 if full else HOURS_KEPT)
        began = time.perf_counter()
        refresh_standings(QUICK)
        took[size] = time.perf_counter() - began
        refresh_standings(SLOW)
        found[size] = {name: _seen(client, address) for name, address in _addresses().items()}
    hours = FunctionHour.objects.count()
    yield at_most(
        f"sums of all functions for the shorter ranges, of {REFRESH_LIMIT_S} s", took[BIG] / REFRESH_LIMIT_S, 1, n=BIG,
        seconds=took[BIG], seconds_200=took[SMALL], hours=hours,
    )  # fmt: skip
    yield from _pages(found)
    yield from _against_summing()
    yield _percentiles()
    yield _figures()


def _addresses() -> dict[str, str]:
    busy = Function.objects.get(name="bench-reg-00007")
    layer = Layer.objects.order_by("pk")[0]
    return {
        "list of functions": reverse("function-list"),
        "list of functions, 24 h": reverse("function-list") + "?range=24h&sort=-p99",
        "function page": reverse("function-detail", args=[busy.pk]),
        "function page, 13 months": reverse("function-detail", args=[busy.pk]) + "?range=13m",
        "layers": reverse("layer-list"),
        "layer page": reverse("layer-detail", args=[layer.pk]),
        "sizes": reverse("function-sizes"),
        "fleet page": reverse("function-fleet"),
        "fleet page, 13 months": reverse("function-fleet") + "?range=13m",
    }


def _seen(client: Client, address: str) -> tuple[float, float, int]:
    """Milliseconds of the server and of its database for one page, medians; bytes that travel."""
    times, size = [], 0
    for _round in range(ROUNDS + 2):
        began = time.perf_counter()
        answer = client.get(address)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise AssertionError(f"{address}: status {answer.status_code}")
        size = len(answer.content)
    return statistics.median(times[2:]), sql_ms(client, address), size


def _pages(found: dict[int, dict[str, tuple[float, float, int]]]) -> Iterator[Result]:
    for name, (ms, database_ms, size) in found[BIG].items():
        small_ms, small_database_ms, _size = found[SMALL][name]
        figures = {
            "ms": ms,
            "sql_ms": database_ms,
            "kb": size / 1000,
            "ms_200": small_ms,
            "sql_ms_200": small_database_ms,
        }
        yield at_most(f"{name}, of {PAGE_LIMIT_MS:g} ms", ms / PAGE_LIMIT_MS, 1, n=BIG, growth=ms / small_ms, **figures)
        yield at_most(f"{name}: SQL, of {SQL_LIMIT_MS:g} ms", database_ms / SQL_LIMIT_MS, 1, n=BIG, ms=database_ms)
        yield at_most(f"{name}: transfer, of 150 kB", size / TRANSFER_LIMIT, 1, n=BIG, kb=size / 1000)


def _against_summing() -> Iterator[Result]:
    """What the list reads of all functions, against the same numbers summed when asked."""
    functions = list(Function.objects.filter(name__startswith="bench-reg-").order_by("pk"))
    for name, least in (("24h", 5), ("30d", 5), ("13m", 20)):
        label, length = PRESETS[name]
        as_of = FunctionStanding.objects.filter(range=name).values_list("as_of", flat=True)[0]
        period = TimeRange(as_of - length, as_of, name, label)
        kept, rounds = facts_of(functions, period).rows, 5 if name == "30d" else 1
        asked = summed(functions, period)
        for ours, theirs in zip(kept, asked, strict=True):
            if (ours.invocations, ours.cost, ours.percentiles) != (theirs.invocations, theirs.cost, theirs.percentiles):
                raise AssertionError(f"{ours.function} {name}")
        ours_ms, peer_ms = _ms(partial(facts_of, functions, period)), _ms(partial(summed, functions, period), rounds)
        yield at_least(
            f"facts of the list over {name}, against sums when asked", peer_ms / ours_ms, least, n=BIG, ours_ms=ours_ms,
            peer_ms=peer_ms,
        )  # fmt: skip


def _percentiles() -> Result:
    """p50, p95 and p99 of one function over 30 days."""
    now = timezone.now()
    period = TimeRange(now - PRESETS["30d"][1], now, "30d", PRESETS["30d"][0])
    functions = list(Function.objects.filter(name="bench-reg-00007"))

    def asked() -> None:
        facts = sums_of(functions, period)
        add_percentiles(facts, period)
        if facts[0].percentiles["p99"] is None:
            raise AssertionError("nothing measured")

    ms = _ms(asked, 30)
    return at_most(f"30 days of one function with percentiles, of {PERCENTILES_LIMIT_MS:g} ms", ms / PERCENTILES_LIMIT_MS, 1,
                   n=30, ms=ms)  # fmt: skip


def _figures() -> Result:
    """The figures of a function's page as dicts, against the same by Plotly's objects; `from_dicts_ms`: those at their quickest."""
    now = timezone.now()
    function = Function.objects.get(name="bench-reg-00007")
    course = course_of(function, TimeRange(now - PRESETS["30d"][1], now, "30d", PRESETS["30d"][0]))
    revisions = revisions_since(function, course.period.start)
    figures = json.loads(
        json.dumps([made.figure for made in charts_of(function, course, None, revisions)], default=float)
    )
    ours_ms = _ms(lambda: charts_of(function, course, None, revisions), 100)
    peer_ms = _ms(lambda: [_by_objects(figure) for figure in figures])
    dicts_ms = _ms(lambda: [go.Figure(figure).to_plotly_json() for figure in figures])
    return at_least(
        "figures of the function page, against go.Figure", peer_ms / ours_ms, 50, n=len(figures), ours_ms=ours_ms,
        peer_ms=peer_ms, from_dicts_ms=dicts_ms,
    )  # fmt: skip


def _by_objects(figure: dict[str, Any]) -> dict[str, Any]:
    """As Plotly's documentation builds a figure."""
    traces = [_TRACES[trace["type"]](**{name: value for name, value in trace.items() if name != "type"})
              for trace in figure["data"]]  # fmt: skip
    made: dict[str, Any] = go.Figure(data=traces, layout=go.Layout(**figure["layout"])).to_plotly_json()
    return made


def _ms(work: Callable[[], Any], rounds: int = 9) -> float:
    times = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


# --- the fleet --------------------------------------------------------------------------------------------------------


def _grow(size: int, hours_kept: timedelta) -> None:
    """Functions up to this number, each with its days, hours, layers and two changes."""
    present = Function.objects.filter(name__startswith="bench-reg-").count()
    if not present:
        _make_layers()
    Function.objects.bulk_create([_function(number) for number in range(present, size)], batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS shapes (n integer PRIMARY KEY, histogram bytea NOT NULL)")
        cursor.execute("TRUNCATE shapes")
        with cursor.copy("COPY shapes (n, histogram) FROM STDIN") as copy:
            for number in range(SHAPES):
                copy.write_row((number, _shape(number)))
        newly: dict[str, Any] = {"low": f"bench-reg-{present:05d}", "high": f"bench-reg-{size:05d}", "shapes": SHAPES}
        cursor.execute("SET statement_timeout = 0")  # hours of 13 months take minutes to write
        cursor.execute(_DAYS, {**newly, "days": MONTHS_13.days})
        cursor.execute(_HOURS, {**newly, "hours": int(hours_kept.total_seconds() // 3600)})
        cursor.execute(_REVISIONS, newly)
        for model, key, source in _FLEET:
            table = model._meta.db_table
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names
            cursor.execute(_FLEET_SUMS.format(table=table, key=key, source=source), {"histogram": _shape(9)})
            cursor.execute(f"VACUUM ANALYZE {table}")
        for model in (Function, FunctionDay, FunctionHour, LayerVersion):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
        cursor.execute("RESET statement_timeout")


def _function(number: int) -> Function:
    arn, region = f"arn:aws:lambda:{settings.AWS_REGION}:123456789012", settings.AWS_REGION
    layers = [
        {"arn": f"{arn}:layer:bench-{(number * step) % LAYERS}:{1 + (number + step) % VERSIONS}", "bytes": 9_000_000}
        for step in range(1, 1 + number % 4)
    ]
    return Function(
        account="123456789012", region=region, name=f"bench-reg-{number:05d}", arn=f"{arn}:function:bench-reg-{number:05d}",
        runtime=_RUNTIMES[number % len(_RUNTIMES)], memory_mb=(128, 512, 1024)[number % 3], timeout_s=30,
        owner=f"team-{number % OWNERS}", code_bytes=(number % 70 + 1) * 1_000_000, code_sha256=f"bench-{number}",
        description=f"What function {number} does, in one sentence of the usual length", layers=layers,
        tags={"owner": f"team-{number % OWNERS}", "stage": "production"}, raw={"FunctionName": f"bench-reg-{number:05d}"},
    )  # fmt: skip


def _make_layers() -> None:
    arn = f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:layer:bench-"
    layers = Layer.objects.bulk_create([
        Layer(
            arn=f"{arn}{number}", account="123456789012", region=settings.AWS_REGION, name=f"bench-{number}",
            newest_from="listed",
        )
        for number in range(LAYERS)
    ])  # fmt: skip
    LayerVersion.objects.bulk_create([
        LayerVersion(
            layer=layer, version=version, arn=f"{layer.arn}:{version}", code_bytes=9_000_000, code_sha256=f"{layer}-{version}",
            runtimes=["python3.12"],
        )
        for layer in layers for version in range(1, VERSIONS + 1)
    ])  # fmt: skip


def _shape(number: int) -> bytes:
    """A histogram of about 25 buckets around a typical duration, as a busy hour has."""
    middle = 40 * 1.1**number
    spread = (math.exp(0.5 * z / 4) for z in range(-12, 13))
    return encode(Counter({bucket_of(middle * factor): 1 + place % 9 for place, factor in enumerate(spread)}))


_SUMS = """invocations, errors, timeouts, cold_starts, duration_ms, init_ms, billed_ms, billed_mb_ms, max_memory_mb, histogram,
    updated, origin"""
_VALUES = """calls, calls / 200, calls / 1000, calls / 20, calls * 120.5, (calls / 20) * 300.0, calls * 121,
    calls * 121 * memory_mb, memory_mb / 2, shapes.histogram, now(), 'reports'"""
_NEW = """(SELECT id, memory_mb, substr(name, 11)::int AS number FROM services_registry_function
     WHERE name >= %(low)s AND name < %(high)s) AS f"""
_HOURS = f"""
INSERT INTO services_registry_functionhour (function_id, hour, {_SUMS})
SELECT f.id, hour, {_VALUES} FROM generate_series(date_trunc('hour', now()) - make_interval(hours => %(hours)s),
    date_trunc('hour', now()), interval '1 hour') AS hour CROSS JOIN {_NEW}
    CROSS JOIN LATERAL (SELECT 20 + (f.number * 37 + extract(hour FROM hour)::int * 11) %% 400 AS calls) AS busy
    JOIN shapes ON shapes.n = (f.number + extract(hour FROM hour)::int) %% %(shapes)s
"""  # noqa: S608  # fixed texts, bound values
_DAYS = f"""
INSERT INTO services_registry_functionday (function_id, day, since, {_SUMS})
SELECT f.id, day::date, day, {_VALUES} FROM generate_series(current_date - %(days)s, current_date, interval '1 day') AS day
    CROSS JOIN {_NEW}
    CROSS JOIN LATERAL (SELECT 480 + (f.number * 37 + extract(doy FROM day)::int * 13) %% 9000 AS calls) AS busy
    JOIN shapes ON shapes.n = (f.number + extract(doy FROM day)::int) %% %(shapes)s
"""  # noqa: S608
_REVISIONS = f"""
INSERT INTO services_registry_functionrevision (function_id, seen, by, changes)
SELECT f.id, now() - make_interval(days => back), 'bench', '{{"timeout_s": [3, 30]}}'
FROM {_NEW} CROSS JOIN generate_series(1, 60, 30) AS back
"""  # noqa: S608
_FLEET: tuple[tuple[type[Model], str, str], ...] = (
    (FleetDay, "day", "day"), (FleetUsage, "day, region, architecture", "day"), (FleetHour, "hour, region, architecture", "hour"),
)  # fmt: skip
_FLEET_SUMS = """
INSERT INTO {table} ({key}, origin, invocations, errors, timeouts, cold_starts, duration_ms, init_ms, billed_ms, billed_mb_ms,
    max_memory_mb, histogram, updated)
SELECT {key}, origin, sum(invocations), sum(errors), sum(timeouts), sum(cold_starts), sum(duration_ms), sum(init_ms),
    sum(billed_ms), sum(billed_mb_ms), max(max_memory_mb), %(histogram)s, now()
FROM services_registry_function{source} AS r JOIN services_registry_function AS f ON f.id = r.function_id GROUP BY {key}, origin
"""
