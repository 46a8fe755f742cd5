"""Tables (CSV, parquet) into sums, exact, without holding the file in memory.

Polars reads and sums in decimals of 38 digits, 24 of them behind the point. A line with a number that does not fit there
(more decimals, or ten million and more in one line) is left out of that and summed by Python's Decimal instead; so is a line
that cannot be understood, which is then refused with its number. Nothing is ever read as a binary number: where
a parquet file holds such, its shortest exact text is meant.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from costs.choices import ChargeCategory
from costs.estimate import EXACT
from costs.imports.layouts import Layout, Part, layout_of, spelled
from costs.imports.shapes import SUMS, Bill, Key, Sums, UnreadableBillError, plus
from costs.imports.sources import Opened

if TYPE_CHECKING:
    import polars as pl

SCALE = 24
LARGEST = 10**7
NULLS = ["NULL", "null"]
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_TEXTS = (
    "provider", "billing_account", "account", "service", "service_code", "usage_type", "operation", "region",
    "resource", "charge_category", "line_type", "currency", "capability", "unit",
)  # fmt: skip
_KEYS = ("start", "end", "end_time", "month", *_TEXTS)


def read_table(file: Opened, *, capability_tag: str) -> Bill:
    """Sum a CSV or parquet file.

    Raises:
        UnreadableBillError: no known format, or a line that cannot be read; nothing is taken in then.
    """
    import polars as pl

    try:
        frame = _scan(file)
        schema = dict(frame.collect_schema())
        layout = layout_of(list(schema))
        if layout is None:
            raise UnreadableBillError(_unknown(list(schema)))
        plan = _Plan(schema, layout, capability_tag)
        bill = Bill(layout.format, layout.source)
        _sum(plan, frame, bill, file)
    except pl.exceptions.PolarsError as error:
        raise UnreadableBillError(_words_of(error)) from error
    return bill


def _unknown(columns: Sequence[str]) -> str:
    seen = ", ".join(columns[:8])
    return (
        _(
            "This is no bill we know: neither FOCUS (BilledCost, ChargePeriodStart, BillingCurrency) nor a Cost and "
            "Usage Report (lineItem/UnblendedCost, lineItem/UsageStartDate). Its first columns are: %s"
        )
        % seen
    )


def _words_of(error: Exception) -> str:
    return _("The table cannot be read: %s") % str(error).strip().splitlines()[0][:300]


def _scan(file: Opened) -> pl.LazyFrame:
    import polars as pl

    if file.kind == "parquet":
        return pl.scan_parquet(file.path)
    return pl.scan_csv(file.path, infer_schema=False, null_values=NULLS, try_parse_dates=False)


class _Plan:
    """The expressions that turn the columns of one file into the columns that are summed."""

    def __init__(self, schema: dict[str, Any], layout: Layout, capability_tag: str) -> None:
        self.layout = layout
        self.tag = capability_tag
        self.columns: dict[str, str] = {}
        for name in schema:
            self.columns.setdefault(spelled(name), name)
        self.schema = schema
        self.parts = [
            (name, part) for name in SUMS for part in layout.sums.get(name, ()) if part.column in self.columns
        ]

    # --- texts ---

    def text(self, column: str) -> pl.Expr:
        """A column as text; what is missing or empty is null."""
        import polars as pl

        name = self.columns[column]
        value = pl.col(name)
        if isinstance(self.schema[name], pl.Datetime):
            value = value.dt.replace_time_zone(None).dt.strftime("%Y-%m-%d %H:%M:%S")
        elif self.schema[name] != pl.String:
            value = value.cast(pl.String)
        else:
            value = value.str.strip_chars()
        return pl.when(value != "").then(value)

    def first(self, columns: Sequence[str]) -> pl.Expr:
        """The first of these columns that is not empty; "" when all are, or none is there."""
        import polars as pl

        known = [self.text(column) for column in columns if column in self.columns]
        return pl.coalesce(*known, pl.lit("")) if known else pl.lit("")

    def from_map(self, column: str, key: str) -> pl.Expr | None:
        """A value of a column that holds JSON or a map; None when the file has no such column."""
        import polars as pl

        if column not in self.columns:
            return None
        name, kind = self.columns[column], self.schema[self.columns[column]]
        if kind == pl.String:
            path = "$['" + key.replace("'", "") + "']"
            return pl.col(name).str.json_path_match(path)
        if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
            entry = pl.element().struct
            found = pl.col(name).list.eval(pl.when(entry.field("key") == key).then(entry.field("value")))
            return found.list.drop_nulls().list.first().cast(pl.String)
        if isinstance(kind, pl.Struct) and key in {field.name for field in kind.fields}:
            return pl.col(name).struct.field(key).cast(pl.String)
        return None

    def capability(self) -> pl.Expr:
        import polars as pl

        spellings = (f"resource_tags_user_{spelled(self.tag)}", f"resource_tags_{spelled(self.tag)}")
        known = [self.text(column) for column in spellings if column in self.columns]
        for column in self.layout.tags:
            for key in (self.tag, f"user_{spelled(self.tag)}", f"user:{self.tag}"):
                if (value := self.from_map(column, key)) is not None:
                    known.append(value)
        return pl.coalesce(*known, pl.lit("")) if known else pl.lit("")

    def keys(self) -> list[pl.Expr]:
        """What lines are told apart by; days as text of ten characters, the rest of the end beside it."""
        import polars as pl

        layout = self.layout
        start, end = self.first([layout.start]), self.first([layout.end])
        found = {
            "start": start.str.slice(0, 10), "end": end.str.slice(0, 10), "end_time": end.str.slice(10),
            "start_time": start.str.slice(10), "month": self.first([layout.month]).str.slice(0, 7),
        }  # fmt: skip
        for name in _TEXTS:
            if name in layout.constants:
                found[name] = pl.lit(layout.constants[name])
                continue
            value = self.first(layout.texts.get(name, ()))
            if name in layout.maps and (inner := self.from_map(*layout.maps[name])) is not None:
                value = pl.coalesce(inner, value)
            found[name] = value
        found["capability"] = self.capability()
        return [value.alias(f"k_{name}") for name, value in found.items()]

    # --- sums ---

    def number(self, part: Part) -> pl.Expr:
        """The text of a number where this part counts, else null."""
        import polars as pl

        text = self.text(part.column)
        kind = pl.col("k_line_type")
        if part.only:
            return pl.when(kind.is_in(list(part.only))).then(text)
        if part.but:
            text = pl.when(~kind.is_in(list(part.but))).then(text)
        if part.unless and part.unless[1] in self.columns:
            text = pl.when((kind != part.unless[0]) | self.text(part.unless[1]).is_null()).then(text)
        return text

    def numbers(self) -> list[pl.Expr]:
        return [self.number(part).alias(f"t_{at}") for at, (_name, part) in enumerate(self.parts)]

    def values(self) -> list[pl.Expr]:
        import polars as pl

        decimal = pl.Decimal(38, SCALE)
        return [pl.col(f"t_{at}").cast(decimal, strict=False).alias(f"v_{at}") for at in range(len(self.parts))]

    def odd(self) -> pl.Expr:
        """True for lines that Python must look at: a number does not fit, or something required is missing."""
        import polars as pl

        wrong = [pl.col("k_start") == "", pl.col("k_currency") == ""]
        for at, (name, part) in enumerate(self.parts):
            text, value = pl.col(f"t_{at}"), pl.col(f"v_{at}")
            wrong.append(text.is_not_null() & value.is_null())
            wrong.append(value.abs() >= LARGEST)
            wrong.append(_decimals(text) > SCALE)
            if name == "billed_cost" and not part.only:
                wrong.append(text.is_null())
        return pl.any_horizontal(*[flag.fill_null(False) for flag in wrong])


def _decimals(text: pl.Expr) -> pl.Expr:
    """At least as many decimals as a number's text has. Exponents below -9 count as what they are."""
    import polars as pl

    behind = (text.str.len_bytes() - text.str.find(".", literal=True) - 1).fill_null(0).cast(pl.Int32)
    exponent = text.str.extract(r"[eE]-(\d+)$", 1).cast(pl.Int32, strict=False)
    return behind + exponent.fill_null(0)


def _sum(plan: _Plan, frame: pl.LazyFrame, bill: Bill, file: Opened) -> None:
    import polars as pl

    keys = [f"k_{name}" for name in ("start_time", *_KEYS)]
    ready = frame.with_columns(plan.keys()).with_columns(plan.numbers()).with_columns(plan.values())
    ready = ready.with_columns(plan.odd().alias("odd"))
    sums = [pl.col(f"v_{at}").sum().alias(f"v_{at}") for at in range(len(plan.parts))]
    known = [pl.col(f"v_{at}").count().alias(f"n_{at}") for at in range(len(plan.parts))]
    # The time of day only matters where it could move the day: at another offset than UTC, or an end at midnight.
    grouped = (
        ready.with_columns(_zone("k_start_time"), _zone("k_end_time"))
        .group_by([*keys, "odd"])
        .agg(*sums, *known, pl.len().alias("lines"))
        .collect(engine="streaming")
    )
    bill.rows = int(grouped["lines"].sum()) if grouped.height else 0
    _take_sums(plan, grouped.filter(~pl.col("odd")), bill)
    if grouped["odd"].any():
        _take_odd(plan, ready, bill, file)


def _zone(name: str) -> pl.Expr:
    """A time of day as short as it can be told apart: "0" midnight UTC, "1" later in UTC, else as it is."""
    import polars as pl

    time = pl.col(name).str.strip_suffix("Z").str.strip_suffix("+00:00").str.strip_chars("T ")
    midnight = time.str.replace_all(r"[0:.]", "") == ""
    plain = ~time.str.contains(r"[+\-]|[A-Za-z]")
    return pl.when(midnight).then(pl.lit("0")).when(plain).then(pl.lit("1")).otherwise(pl.col(name)).alias(name)


def _take_sums(plan: _Plan, grouped: pl.DataFrame, bill: Bill) -> None:
    for row in grouped.iter_rows(named=True):
        values: list[Decimal | None] = [None] * len(SUMS)
        with localcontext(EXACT):
            for at, (name, part) in enumerate(plan.parts):
                if row[f"n_{at}"]:
                    place = SUMS.index(name)
                    value = row[f"v_{at}"]
                    values[place] = plus(values[place], -value if part.minus else value)
        bill.add(_key(plan.layout, row), _stated(plan, values), row["lines"])


def _stated(plan: _Plan, values: Sums) -> Sums:
    """Amortized cost that no column gives to a line is 0 there, not unknown."""
    place = SUMS.index("effective_cost")
    if values[place] is None and len(plan.layout.sums.get("effective_cost", ())) > 1:
        values[place] = Decimal(0)
    return values


def _key(layout: Layout, row: dict[str, Any]) -> Key:
    day, until = _days(row)
    line_type = row["k_line_type"]
    category = row["k_charge_category"] or layout.categories.get(line_type, "")
    if not category:
        category = ChargeCategory.CREDIT if "Discount" in line_type else ChargeCategory.USAGE
    month = row["k_month"]
    return Key(
        provider=row["k_provider"],
        billing_account=row["k_billing_account"],
        month=date.fromisoformat(f"{month}-01") if month else day.replace(day=1),
        day=day,
        until=until,
        charge_category=str(category),
        estimated=False,
        **{name: row[f"k_{name}"] for name in _TEXTS if name not in ("provider", "billing_account", "charge_category")},
    )


def _days(row: dict[str, Any]) -> tuple[date, date]:
    """The day a charge begins and the first day after it ends, in UTC. Raises ValueError."""
    day, _midnight = _moment(row["k_start"], row["k_start_time"])
    if not row["k_end"]:
        return day, day + timedelta(days=1)
    end, midnight = _moment(row["k_end"], row["k_end_time"])
    return day, max(end if midnight else end + timedelta(days=1), day + timedelta(days=1))


def _moment(day: str, time: str) -> tuple[date, bool]:
    if time in ("", "0", "1"):
        return date.fromisoformat(day), time != "1"
    moment = datetime.fromisoformat(day + time)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.date(), (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)


# --- lines that Python looks at -------------------------------------------------------------------------------------


def _take_odd(plan: _Plan, ready: pl.LazyFrame, bill: Bill, file: Opened) -> None:
    import polars as pl

    names = [f"k_{name}" for name in ("start_time", *_KEYS)] + [f"t_{at}" for at in range(len(plan.parts))]
    odd = ready.with_row_index("row").filter(pl.col("odd")).select("row", *names)
    for batch in odd.collect_batches(chunk_size=50_000, maintain_order=True):
        for row in batch.iter_rows(named=True):
            try:
                bill.add(_key_of_odd(plan, row), _sums_of_odd(plan, row), 1)
            except ValueError as error:
                raise UnreadableBillError(f"{_place(file, row['row'])}: {error}") from error


def _key_of_odd(plan: _Plan, row: dict[str, Any]) -> Key:
    if not row["k_start"]:
        raise ValueError(_("%s is empty") % plan.columns.get(plan.layout.start, plan.layout.start))
    if not row["k_currency"]:
        raise ValueError(_("the currency is empty"))
    return _key(plan.layout, row)


def _sums_of_odd(plan: _Plan, row: dict[str, Any]) -> Sums:
    values: list[Decimal | None] = [None] * len(SUMS)
    with localcontext(EXACT):
        for at, (name, part) in enumerate(plan.parts):
            text = row[f"t_{at}"]
            if text is None:
                if name == "billed_cost":
                    raise ValueError(_("%s is empty") % plan.columns[part.column])
                continue
            value = _decimal(text, plan.columns[part.column])
            place = SUMS.index(name)
            values[place] = plus(values[place], -value if part.minus else value)
    return _stated(plan, values)


def _decimal(text: str, column: str) -> Decimal:
    try:
        if not _NUMBER.fullmatch(text):
            raise InvalidOperation
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(_("%(column)s is no number: %(text)s") % {"column": column, "text": repr(text[:60])}) from None


def _place(file: Opened, row: int) -> str:
    """ "Line 17" of a CSV (as an editor counts), "Row 16" of a parquet file."""
    if file.kind == "parquet":
        return _("Row %s") % (row + 1)
    with file.path.open(newline="", encoding="utf-8", errors="replace") as text:
        reader = csv.reader(text)
        for at, _fields in enumerate(_without_blanks(reader)):
            if at == row + 1:
                return _("Line %s") % reader.line_num
    return _("Row %s") % (row + 1)


def _without_blanks(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    return (fields for fields in reader if fields)
