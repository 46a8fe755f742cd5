"""Bills: reading a million lines against DictReader and Decimal, and asking a year of sums of a thousand functions."""

from __future__ import annotations

import csv
import gc
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.results import Result, at_least, at_most
from costs.billed import Asked, billed
from costs.estimate import exact_sum
from costs.imports.layouts import spelled
from costs.imports.reading import read_bill
from costs.imports.rollups import rebuild
from costs.imports.shapes import Bill
from costs.imports.sources import Opened
from costs.models import BilledCost, BilledPeriod, CostImport

T = TypeVar("T")
COSTS = ("lineItem/UnblendedCost", "lineItem/BlendedCost", "pricing/publicOnDemandCost", "lineItem/UsageAmount")
KEYS = (
    "lineItem/UsageAccountId", "product/ProductName", "lineItem/ProductCode", "lineItem/UsageType", "lineItem/Operation",
    "product/region", "lineItem/ResourceId", "lineItem/LineItemType", "lineItem/CurrencyCode", "pricing/unit",
)  # fmt: skip
DAYS, FUNCTIONS = 30, 100
FIRST = date(2025, 10, 1)


def reading(folder: Path, *, lines: int, rounds: int) -> Iterator[Result]:
    """The same sums out of both, by day and what tells charges apart; four sums of each line."""
    table = folder / "cur.csv"
    _write(table, folder / "cur.parquet", lines)
    _read(table)  # the library is loaded
    peer = []
    for _ in range(rounds):
        seconds, theirs = _timed(partial(_by_dict_reader, table))
        peer.append(seconds)
    whole = exact_sum(sums[0] for sums in theirs.values())
    for path, bound in ((table, 10), (table.with_suffix(".parquet"), 50)):
        ours = []
        for _ in range(rounds):
            seconds, bill = _timed(partial(_read, path))
            ours.append(seconds)
        assert bill.totals()["USD"]["BilledCost"] == whole  # noqa: S101  # another sum would be quick but wrong
        ratio = median(peer) / median(ours)
        figures = {"ours_s": median(ours), "peer_s": median(peer), "groups": float(len(bill.lines))}
        name = f"reading a bill ({path.suffix[1:]}), against DictReader and Decimal"
        yield at_least(name, ratio, bound, n=lines, **figures)
    with _Memory() as memory:
        _read(table)
    figures = {"grown_mb": memory.grown_mb, "file_mb": table.stat().st_size / 2**20}
    yield at_most("memory while reading a bill, of 500 MB", memory.grown_mb / 500, 1, n=lines, **figures)


def _read(path: Path) -> Bill:
    return read_bill(Opened(path, path.name, path.suffix[1:], path.stat().st_size, ""))


def asking() -> Iterator[Result]:
    """1,000 functions, 13 months, 60 usage types: what pages ask, in milliseconds of SQL."""
    _a_year()
    end = date(2026, 11, 1)
    month = date(2026, 10, 1)
    one = "arn:aws:lambda:eu-west-1:111122223333:function:f-17"
    # Pages show what was billed; a question for all six sums costs about twice as much.
    questions = {
        "months_by_service": _Q(FIRST, end, by=("month", "service")),
        "months_by_usage_type": _Q(FIRST, end, by=("month", "usage_type")),
        "days_of_a_month": _Q(month, end, by=("day", "service")),
        "usage_types_of_a_month": _Q(month, end, by=("usage_type",)),
        "functions_of_a_month": _Q(month, end, by=("resource",), resources_only=True),
        "capabilities_of_a_month": _Q(month, end, by=("capability",)),
        "one_function_a_year": _Q(FIRST, end, by=("month",), where={"resource": one}),
        "one_function_by_usage_type": _Q(month, end, by=("usage_type",), where={"resource": one}),
    }
    figures = {f"{name}_ms": _sql_ms(asked) for name, asked in questions.items()}
    slowest = max(figures.values())
    yield at_most("billed sums of a page, of 20 ms of SQL", slowest / 20, 1, n=BilledCost.objects.count(), **figures)


_Q = partial(Asked, sums=("billed_cost",))


def _sql_ms(asked: Asked) -> float:
    found = []
    for _ in range(5):
        with CaptureQueriesContext(connection) as queries:
            assert billed(asked)  # noqa: S101  # an empty answer is quick but wrong
        found.append(sum(float(query["time"]) for query in queries) * 1000)
    return median(found)


def _a_year() -> None:
    made = CostImport.objects.create(name="bench", sha256="0" * 64, state="done")
    months = [date(2025 + (9 + n) // 12, (9 + n) % 12 + 1, 1) for n in range(13)]
    periods = [
        BilledPeriod.objects.create(source="cur", provider="AWS", billing_account="1", month=month, cost_import=made)
        for month in months
    ]
    with connection.cursor() as cursor:
        for period in periods:
            cursor.execute(_YEAR, [period.month, period.month, period.pk, made.pk])
        cursor.execute(f"ANALYZE {BilledCost._meta.db_table}")
        rebuild([period.pk for period in periods])
        for table in ("costs_billedday", "costs_billedmonth", "costs_billedresourcemonth"):
            cursor.execute(f"ANALYZE {table}")


# One line for every month, function and usage type, spread over the days: 780,000.
_YEAR = f"""
INSERT INTO {BilledCost._meta.db_table} (day, until, account, service, service_code, usage_type, operation, region, resource,
    charge_category, line_type, currency, capability, unit, estimated, quantity, billed_cost, effective_cost, list_cost,
    blended_cost, lines, period_id, cost_import_id)
SELECT %s::date + (f + u) %% 28, %s::date + (f + u) %% 28 + 1, 'a' || f %% 5, 's' || u %% 12, 'S' || u %% 12,
    'EU-usage-type-' || u, 'Invoke', 'eu-west-1', 'arn:aws:lambda:eu-west-1:111122223333:function:f-' || f, 'Usage', 'Usage',
    'USD', 'capability-' || f %% 8, 'GB', false, f * 0.001, f * 0.0000166667, f * 0.0000166667, f * 0.00002,
    f * 0.0000166667, 720, p.id, i.id
FROM generate_series(1, 1000) f, generate_series(1, 60) u, (SELECT %s::bigint AS id) p, (SELECT %s::uuid AS id) i
"""  # noqa: S608


def _by_dict_reader(path: Path) -> dict[tuple[str, ...], list[Decimal]]:
    """What a person writes first."""
    found: defaultdict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(COSTS))
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            sums = found[row["lineItem/UsageStartDate"][:10], *(row[name] for name in KEYS)]
            for place, name in enumerate(COSTS):
                sums[place] += Decimal(row[name])
    return found


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


class _Memory:
    """The most memory of our own (files that are mapped aside) while a block runs, above what there was before, in MB."""

    def __enter__(self) -> _Memory:
        gc.collect()
        self._before, self._most, self._over = _own_mb(), 0.0, threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._watch.join()
        self.grown_mb = max(0.0, self._most - self._before)

    def _look(self) -> None:
        while not self._over.wait(0.01):
            self._most = max(self._most, _own_mb())


def _own_mb() -> float:
    text = Path("/proc/self/status").read_text()
    return int(text.partition("RssAnon:")[2].split()[0]) / 1024


def _write(table: Path, columns: Path, lines: int) -> None:
    """Hourly lines of a hundred functions with four usage types, a CSV as AWS writes it, and a parquet of the same."""
    import polars as pl

    dice = random.Random(20_261_124)  # noqa: S311  # the same lines every time
    hours = [datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * DAYS)]
    starts = [f"{hour:%Y-%m-%dT%H:%M:%SZ}" for hour in [*hours, hours[-1] + timedelta(hours=1)]]
    at = [n * len(hours) // lines for n in range(lines)]
    function = [dice.randrange(FUNCTIONS) for _ in range(lines)]
    costs = [
        f"{dice.random() * 1e-3:.10f}" if dice.random() > 0.2 else f"{dice.random() * 1e-7:.9E}" for _ in range(lines)
    ]
    frame = pl.DataFrame(
        {
            "identity/LineItemId": [f"{n:052d}" for n in range(lines)],
            "identity/TimeInterval": [f"{starts[n]}/{starts[n + 1]}" for n in at],
            "bill/BillingEntity": "AWS", "bill/BillType": "Anniversary", "bill/PayerAccountId": "111122223333",
            "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z", "bill/BillingPeriodEndDate": "2026-11-01T00:00:00Z",
            "lineItem/UsageAccountId": "444455556666", "lineItem/LineItemType": "Usage",
            "lineItem/UsageStartDate": [starts[n] for n in at], "lineItem/UsageEndDate": [starts[n + 1] for n in at],
            "lineItem/ProductCode": "AWSLambda",
            "lineItem/UsageType": [f"EU-Lambda-GB-Second{'-ARM' if n % 4 == 0 else ''}" for n in function],
            "lineItem/Operation": "Invoke", "lineItem/ResourceId": [f"arn:aws:lambda:eu-west-1:1:function:f-{n}" for n in function],
            "lineItem/UsageAmount": [f"{dice.random() * 100:.6f}" for _ in range(lines)], "lineItem/CurrencyCode": "USD",
            "lineItem/UnblendedCost": costs, "lineItem/BlendedCost": costs,
            "lineItem/LineItemDescription": "AWS Lambda - Total Compute - EU (Ireland)", "product/ProductName": "AWS Lambda",
            "product/region": "eu-west-1", "pricing/publicOnDemandCost": costs, "pricing/unit": "Lambda-GB-Second",
        }
    )  # fmt: skip
    frame.write_csv(table)
    times = ("bill/BillingPeriodStartDate", "lineItem/UsageStartDate", "lineItem/UsageEndDate")
    typed = frame.with_columns(
        *(pl.col(name).cast(pl.Float64) for name in COSTS),
        *(pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ") for name in times),
    )
    typed.rename({name: spelled(name) for name in typed.columns}).write_parquet(columns)
