"""Tables (CSV, parquet) into sums, exact, without holding the file in memory.

Polars reads and sums in decimals of 38 digits. A line with a number that does not fit there (`MONEY_FITS`: more decimals, or
ten thousand and more in one line) is left out of that and summed by Python's Decimal instead; so is a line that cannot be
understood, which is then refused with its number. Nothing is ever read as a binary number: where a parquet
file holds such, its shortest exact text is meant.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from costs.choices import ChargeCategory
from costs.estimate import EXACT, exact_sum
from costs.imports.expressions import DAYS, KEYS, TIMES, Plan
from costs.imports.layouts import layout_of
from costs.imports.shapes import SUMS, Bill, Key, Sums, UnreadableBillError
from costs.imports.sources import Opened

if TYPE_CHECKING:
    import polars as pl

MOST_DECIMALS, MOST_DIGITS = 60, 15  # sums of 80 digits (`EXACT`) hold so much without rounding
TAIL_BYTES = 64 << 10
NULLS = ["NULL", "null"]
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_EFFECTIVE = SUMS.index("effective_cost")


def read_table(file: Opened, *, capability_tag: str) -> Bill:
    """Sum a CSV or parquet file.

    Raises:
        UnreadableBillError: no known format, or a line that cannot be read; nothing is taken in then.
    """
    import polars as pl

    if file.kind == "csv":
        _must_end_whole(file.path)
    try:
        frame = _scan(file)
        schema = dict(frame.collect_schema())
        layout = layout_of(list(schema))
        if layout is None:
            raise UnreadableBillError(_unknown(list(schema)))
        bill = Bill(layout.format, layout.source)
        _sum(Plan(schema, layout, capability_tag), frame, bill, file)
    except pl.exceptions.PolarsError as error:
        words = str(error).strip().splitlines()[0][:300]
        raise UnreadableBillError(_("The table cannot be read: %s") % words) from error
    return bill


def _must_end_whole(path: Path) -> None:
    """Refuse a table that was cut off while it was written or sent: its last line has no end and fewer fields."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        tail = file.read()
    if tail.endswith((b"\n", b"\r")):
        return
    rows = list(csv.reader(tail.decode(errors="replace").splitlines(keepends=True)[1:]))
    if len(rows) > 1 and len(rows[-1]) < len(rows[-2]):
        raise UnreadableBillError(_("The last line is cut off. Send the whole file."))


def _unknown(columns: Sequence[str]) -> str:
    words = _(
        "This is no bill we know: neither FOCUS (BilledCost, ChargePeriodStart, BillingCurrency) nor a Cost and Usage "
        "Report (lineItem/UnblendedCost, lineItem/UsageStartDate). Its first columns are: %s"
    )
    return words % ", ".join(columns[:8])


def _scan(file: Opened) -> pl.LazyFrame:
    import polars as pl

    if file.kind == "parquet":
        return pl.scan_parquet(file.path)
    return pl.scan_csv(file.path, infer_schema=False, null_values=NULLS, try_parse_dates=False)


def _sum(plan: Plan, frame: pl.LazyFrame, bill: Bill, file: Opened) -> None:
    import polars as pl

    lines = plan.lines(frame)
    grouped = plan.summed(lines).collect(engine="streaming")
    bill.rows = int(grouped["lines"].sum()) if grouped.height else 0
    usual = grouped.filter(~pl.col("odd")).select(plan.month(), *DAYS[1:], *plan.texts(), *plan.sums, "lines")
    _must_say(plan, usual)
    kinds, combine = _Kinds(plan), _Combine(plan)
    for row in usual.iter_rows():
        bill.add(kinds.key(row), combine(row[len(KEYS) : -1]), row[-1])
    if grouped["odd"].any():
        _take_odd(plan, lines, bill, file)


def _must_say(plan: Plan, usual: pl.DataFrame) -> None:
    """Refuse sums without a currency or with a billing period that cannot be read."""
    if usual["k_month"].null_count():
        raise UnreadableBillError(_("%s holds no times.") % plan.column_of(plan.layout.month))
    if (usual["k_currency"] == "").any():
        raise UnreadableBillError(_("%s is empty in some lines.") % plan.column_of(plan.layout.texts["currency"][0]))


class _Kinds:
    """Keys of rows that begin with the columns of `KEYS`, in that order."""

    def __init__(self, plan: Plan) -> None:
        self._categories = plan.layout.categories

    def key(self, row: Sequence[Any]) -> Key:
        month, day, until, provider, payer, *texts = row[: len(KEYS)]
        category, line_type = texts[7], texts[8]
        if not category:
            category = self._categories.get(line_type) or _category(line_type)
        return Key._make([provider, payer, month, day, until, *texts[:7], str(category), *texts[8:], False])


def _category(line_type: str) -> str:
    return ChargeCategory.CREDIT if "Discount" in line_type else ChargeCategory.USAGE


class _Combine:
    """Puts the parts of each sum together: of most sums there is one."""

    def __init__(self, plan: Plan) -> None:
        self._binary = [(at, len(plan.parts) + place, -digits) for place, (at, digits) in enumerate(plan.units)]
        places: defaultdict[int, list[tuple[int, bool]]] = defaultdict(list)
        for at, (name, part) in enumerate(plan.parts):
            places[SUMS.index(name)].append((at, part.minus))
        self._single = [(place, parts[0][0]) for place, parts in places.items() if len(parts) == 1 and not parts[0][1]]
        self._several = [(place, parts) for place, parts in places.items() if len(parts) > 1]
        # Amortized cost that no column gives to a line is nothing, not unknown.
        self._spread = len(plan.layout.sums.get("effective_cost", ())) > 1

    def __call__(self, found: Sequence[Any]) -> Sums:
        """`found` are the sums of the parts, then those of binary numbers in whole units."""
        values: Sums = [None] * len(SUMS)
        if self._binary:
            found = self._with_binary(found)
        for place, at in self._single:
            values[place] = found[at]
        for place, parts in self._several:
            known = [-found[at] if minus else found[at] for at, minus in parts if found[at] is not None]
            values[place] = known[0] if len(known) == 1 else exact_sum(known) if known else None
        if self._spread and values[_EFFECTIVE] is None:
            values[_EFFECTIVE] = Decimal(0)
        return values

    def _with_binary(self, found: Sequence[Any]) -> Sequence[Any]:
        joined = list(found)
        for at, units, power in self._binary:
            if found[units] is not None:
                whole = Decimal(found[units]).scaleb(power, EXACT)
                joined[at] = whole if joined[at] is None else EXACT.add(whole, joined[at])
        return joined


# --- lines that Python looks at -------------------------------------------------------------------------------------


def _take_odd(plan: Plan, lines: pl.LazyFrame, bill: Bill, file: Opened) -> None:
    import polars as pl

    places = range(len(plan.parts))
    kinds, combine = _Kinds(plan), _Combine(plan)
    times = [pl.col(name).cast(pl.String) for name in TIMES]
    numbers = [plan.number(part).cast(pl.String).alias(f"t_{at}") for at, (_name, part) in enumerate(plan.parts)]
    odd = lines.with_row_index("row").filter(pl.col("odd")).select("row", *plan.texts(), *times, *numbers)
    for batch in odd.collect_batches(chunk_size=50_000, maintain_order=True):
        for row in batch.iter_rows(named=True):
            try:
                known = row | _days(plan, row)
                key = kinds.key([known[name] for name in KEYS])
                read = [_number(plan, at, row[f"t_{at}"]) for at in places]
                bill.add(key, combine(read + [None] * len(plan.units)), 1)
            except ValueError as error:
                raise UnreadableBillError(f"{_place(file, row['row'])}: {error}") from error


def _days(plan: Plan, row: Mapping[str, Any]) -> dict[str, date]:
    """The days of one line, from its times as written. Raises ValueError in words."""
    if not row["k_currency"]:
        raise ValueError(_("%s is empty") % plan.column_of(plan.layout.texts["currency"][0]))
    start = _moment(plan.column_of(plan.layout.start), row["r_start"])
    end = _moment(plan.column_of(plan.layout.end), row["r_end"]) if row["r_end"] else start
    month = _moment(plan.column_of(plan.layout.month), row["r_month"]) if row["r_month"] else start
    last = (end - timedelta(microseconds=1)).date()
    day = start.date()
    return {"k_day": day, "k_until": max(last, day) + timedelta(days=1), "k_month": month.date().replace(day=1)}


def _moment(column: str, text: str | None) -> datetime:
    if not text:
        raise ValueError(_("%s is empty") % column)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(_("%(column)s is no time: %(text)s") % {"column": column, "text": repr(text[:60])}) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _number(plan: Plan, at: int, text: str | None) -> Decimal | None:
    name, part = plan.parts[at]
    column = plan.column_of(part.column)
    text = text.strip() if text else ""
    if not text:
        if name == "billed_cost":
            raise ValueError(_("%s is empty") % column)
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(_("%(column)s is no number: %(text)s") % {"column": column, "text": repr(text[:60])})
    value = Decimal(text)
    if value and not (int(value.as_tuple().exponent) >= -MOST_DECIMALS and value.adjusted() < MOST_DIGITS):
        raise ValueError(_("%(column)s is no amount of money: %(text)s") % {"column": column, "text": repr(text[:60])})
    return value


def _place(file: Opened, row: int) -> str:
    """ "Line 17" of a CSV (as an editor counts), "Row 16" of a parquet file."""
    if file.kind != "parquet":
        with file.path.open(newline="", encoding="utf-8", errors="replace") as text:
            reader = csv.reader(text)
            for at, _fields in enumerate(_without_blanks(reader)):
                if at == row + 1:
                    return _("Line %s") % reader.line_num
    return _("Row %s") % (row + 1)


def _without_blanks(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    return (fields for fields in reader if fields)
