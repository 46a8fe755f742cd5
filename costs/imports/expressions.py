"""The Polars expressions that turn the columns of one table into the columns that are summed.

Lines are first summed by the columns as they are, only with times made into days, and what tells charges apart is made
of the few sums afterwards: a bill has a million lines and some thousand different ones.

`k_...` tells charges apart, `r_...` are times as written, `<column> text` are numbers as written, `<column> value` the same as
decimals, `<column> 12` and `<column> 20` binary numbers in units of 1e-12 and 1e-20, and `odd` marks the lines that Python
must look at. Of the sums, `v_0, v_1, ...` and `i12_0, ...` belong to the layout's parts in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from costs.imports.layouts import Layout, Part, spelled
from costs.imports.shapes import SUMS

if TYPE_CHECKING:
    import polars as pl

# Decimals, and the size from which a line is summed by Python: a hundred million lines of that size fit into 38 digits.
MONEY_FITS, QUANTITY_FITS = (26, 10**4), (22, 10**8)
WHOLES = (12, 20)
"""Binary numbers that are whole in units of 1e-12, or else of 1e-20, are summed as such; that is most of them, and fast."""
TEXTS = (
    "provider", "billing_account", "account", "service", "service_code", "usage_type", "operation", "region",
    "resource", "charge_category", "line_type", "currency", "capability", "unit",
)  # fmt: skip
DAYS = ("r_month", "k_day", "k_until")
KEYS = ["k_month", "k_day", "k_until", *(f"k_{name}" for name in TEXTS)]
TIMES = ["r_start", "r_end", "r_month"]


class Plan:
    """How one file is read: its columns, by the one spelling, and what they are made into."""

    def __init__(self, schema: Mapping[str, Any], layout: Layout, capability_tag: str) -> None:
        self.layout, self.tag, self.schema = layout, capability_tag, schema
        self.columns: dict[str, str] = {}
        for name in schema:
            self.columns.setdefault(spelled(name), name)
        self.parts = [
            (name, part) for name in SUMS for part in layout.sums.get(name, ()) if part.column in self.columns
        ]
        self.raw = self._raw()
        self.numbers = {
            self.columns[part.column]: QUANTITY_FITS if name == "quantity" else MONEY_FITS for name, part in self.parts
        }
        self.binary = [name for name in self.numbers if _is_binary(schema[name])]
        self.units = [
            (at, digits) for at, (_name, part) in enumerate(self.parts) for digits in WHOLES
            if self.columns[part.column] in self.binary
        ]  # fmt: skip

    def column_of(self, name: str) -> str:
        """A column's name as the file spells it."""
        return self.columns.get(name, name)

    def _raw(self) -> list[str]:
        """The columns, as the file spells them, that tell its lines apart, days aside."""
        plain = spelled(self.tag)
        wanted = [column for columns in self.layout.texts.values() for column in columns]
        wanted += [column for column, _key in self.layout.maps.values()]
        wanted += [*self.layout.tags, f"resource_tags_user_{plain}", f"resource_tags_{plain}"]
        return [self.columns[column] for column in dict.fromkeys(wanted) if column in self.columns]

    def lines(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The lines with their days, numbers, and whether they are odd."""
        import polars as pl

        kind = self.first(self.layout.texts["line_type"]).alias("kind")
        frame = frame.with_columns(*self._times(), kind).with_columns(self._days())
        if self.binary:
            frame = frame.with_columns(
                _whole(pl.col(name), digits).alias(f"{name} {digits}") for name in self.binary for digits in WHOLES
            )
        frame = frame.with_columns(self._text_of(name).alias(f"{name} text") for name in self.numbers)
        frame = frame.with_columns(
            pl.col(f"{name} text").cast(pl.Decimal(38, scale), strict=False).alias(f"{name} value")
            for name, (scale, _largest) in self.numbers.items()
        )
        return frame.with_columns(self._odd().alias("odd"))

    def summed(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The sums by raw columns and days; null where no line states a number. `lines` counts them."""
        import polars as pl

        sums = [self._sum_of(part, "value", f"v_{at}") for at, (_name, part) in enumerate(self.parts)]
        sums += [self._sum_of(self.parts[at][1], str(digits), f"i{digits}_{at}") for at, digits in self.units]
        return frame.group_by([*DAYS, *self.raw, "odd"]).agg(*sums, pl.len().alias("lines"))

    def _sum_of(self, part: Part, what: str, alias: str) -> pl.Expr:
        import polars as pl

        value = self._counting(part, pl.col(f"{self.columns[part.column]} {what}"))
        return pl.when(value.count() > 0).then(value.sum()).alias(alias)

    @property
    def sums(self) -> list[str]:
        """The columns of `summed` that hold sums, in the order of the parts, then those of binary numbers."""
        return [f"v_{at}" for at in range(len(self.parts))] + [f"i{digits}_{at}" for at, digits in self.units]

    # --- texts ---

    def text(self, column: str) -> pl.Expr:
        """A column as text; what is missing or empty is null."""
        import polars as pl

        name = self.columns[column]
        kind, value = self.schema[name], pl.col(name)
        if isinstance(kind, pl.Datetime):
            utc = value.dt.convert_time_zone("UTC") if kind.time_zone else value
            return utc.dt.strftime("%Y-%m-%d %H:%M:%S")
        value = value.str.strip_chars() if kind == pl.String else value.cast(pl.String)
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
        name = self.columns[column]
        kind = self.schema[name]
        if kind == pl.String:
            return pl.col(name).str.json_path_match("$['" + key.replace("'", "") + "']")
        if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
            entry = pl.element().struct
            found = pl.col(name).list.eval(pl.when(entry.field("key") == key).then(entry.field("value")))
            return found.list.drop_nulls().list.first().cast(pl.String)
        if isinstance(kind, pl.Struct) and key in {field.name for field in kind.fields}:
            return pl.col(name).struct.field(key).cast(pl.String)
        return None

    def _capability(self) -> pl.Expr:
        import polars as pl

        plain = spelled(self.tag)
        columns = (f"resource_tags_user_{plain}", f"resource_tags_{plain}")
        known = [self.text(column) for column in columns if column in self.columns]
        for column in self.layout.tags:
            values = [self.from_map(column, key) for key in (self.tag, f"user_{plain}", f"user:{self.tag}")]
            known.extend(value for value in values if value is not None)
        return pl.coalesce(*known, pl.lit("")) if known else pl.lit("")

    def texts(self) -> list[pl.Expr]:
        """What tells charges apart, of the raw columns."""
        import polars as pl

        layout = self.layout
        found = {name: self.first(layout.texts.get(name, ())) for name in TEXTS}
        found |= {name: pl.lit(value) for name, value in layout.constants.items()}
        for name, (column, key) in layout.maps.items():
            if (inner := self.from_map(column, key)) is not None:
                found[name] = pl.coalesce(inner, found[name])
        found["capability"] = self._capability()
        return [value.alias(f"k_{name}") for name, value in found.items()]

    # --- days ---

    def _times(self) -> list[pl.Expr]:
        names = (self.layout.start, self.layout.end, self.layout.month)
        return [self._time(name).alias(alias) for name, alias in zip(names, TIMES, strict=True)]

    def _time(self, name: str) -> pl.Expr:
        """A time as it is in the file; text only where it is none yet."""
        import polars as pl

        if name not in self.columns:
            return pl.lit(None, dtype=pl.String)
        column, kind = self.columns[name], self.schema[self.columns[name]]
        if isinstance(kind, pl.Datetime):
            utc = pl.col(column).dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            return utc if kind.time_zone else pl.col(column)
        return pl.col(column) if kind in (pl.String, pl.Date) else pl.col(column).cast(pl.String)

    def is_text(self, name: str) -> bool:
        import polars as pl

        kind = self.schema.get(self.columns.get(name, ""), pl.String)
        return kind != pl.Date and not isinstance(kind, pl.Datetime)

    def _days(self) -> list[pl.Expr]:
        """Days in UTC; null where a time cannot be read here. An end at midnight belongs to the day before."""
        import polars as pl

        start, end = self._date(self.layout.start, "r_start"), self._date(self.layout.end, "r_end")
        if self.is_text(self.layout.end):
            later = pl.col("r_end").str.slice(10).str.contains("[1-9]")
        else:
            later = pl.col("r_end").cast(pl.Datetime("us")) > end.cast(pl.Datetime("us"))
        one = pl.duration(days=1)
        until = pl.max_horizontal(pl.when(later).then(end + one).otherwise(end), start + one)
        return [
            start.alias("k_day"),
            pl.when(pl.col("r_end").is_null()).then(start + one).otherwise(until).alias("k_until"),
        ]

    def month(self) -> pl.Expr:
        """The billing month of a sum; that of its day where the bill does not say. Null when it cannot be read."""
        import polars as pl

        month = self._date(self.layout.month, "r_month")
        return (
            pl.when(pl.col("r_month").is_null())
            .then(pl.col("k_day"))
            .otherwise(month)
            .dt.month_start()
            .alias("k_month")
        )

    def _date(self, name: str, alias: str) -> pl.Expr:
        import polars as pl

        if self.is_text(name):
            return pl.col(alias).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        return pl.col(alias).cast(pl.Date)

    # --- numbers ---

    def number(self, part: Part) -> pl.Expr:
        """A number as it is in the file where this part counts for a line, else null."""
        import polars as pl

        return self._counting(part, pl.col(self.columns[part.column]))

    def _counting(self, part: Part, value: pl.Expr) -> pl.Expr:
        """`value` on the lines whose `kind` this part is of, else null."""
        import polars as pl

        kind = pl.col("kind")
        if part.only:
            return pl.when(kind.is_in(list(part.only))).then(value)
        if not (part.but or part.unless):
            return value
        counts = ~kind.is_in(list(part.but))
        if part.unless and part.unless[1] in self.columns:
            counts &= (kind != part.unless[0]) | self.text(part.unless[1]).is_null()
        return pl.when(counts).then(value)

    def _is_rest(self, name: str) -> pl.Expr:
        """True for binary numbers that are whole in none of the units."""
        import polars as pl

        return pl.all_horizontal(*(pl.col(f"{name} {digits}").is_null() for digits in WHOLES))

    def _text_of(self, name: str) -> pl.Expr:
        """A number as text; of binary numbers only those that are not summed as whole ones."""
        import polars as pl

        if name in self.binary:
            rest = pl.when(self._is_rest(name)).then(pl.col(name))
            return rest.map_batches(_written, return_dtype=pl.String, is_elementwise=True)
        kind = self.schema[name]
        return pl.col(name) if kind == pl.String or isinstance(kind, pl.Decimal) else pl.col(name).cast(pl.String)

    def _odd(self) -> pl.Expr:
        """True where a number does not fit, a time is not plain UTC, or something required is missing."""
        import polars as pl

        wrong = [pl.col(name).is_null() for name in ("k_day", "k_until")]
        currency = [self.columns[name] for name in self.layout.texts["currency"] if name in self.columns]
        wrong += [pl.col(name).is_null() for name in currency]
        ends = zip((self.layout.start, self.layout.end), TIMES[:2], strict=True)
        wrong += [_zoned(alias) for name, alias in ends if self.is_text(name)]
        for name, (scale, largest) in self.numbers.items():
            text, value = pl.col(f"{name} text"), pl.col(f"{name} value")
            wrong += [text.is_null() != value.is_null(), value.abs() >= largest]
            kind = self.schema[name]
            if isinstance(kind, pl.Decimal):
                wrong += [pl.lit(kind.scale > scale)]
            else:
                wrong.append(
                    text.map_batches(partial(_finer_than, scale), return_dtype=pl.Boolean, is_elementwise=True)
                )
        for name in {self.columns[part.column] for name, part in self.parts if name == "billed_cost"}:
            missing = pl.col(f"{name} text").is_null()
            wrong.append(missing & self._is_rest(name) if name in self.binary else missing)
        return pl.any_horizontal(*[flag.fill_null(False) for flag in wrong])


def _is_binary(kind: Any) -> bool:
    import polars as pl

    return bool(kind == pl.Float64)


def _zoned(name: str) -> pl.Expr:
    """True when the time of day has an offset from UTC."""
    import polars as pl

    time = pl.col(name).str.slice(10)
    return time.str.contains("+", literal=True) | time.str.contains("-", literal=True)


def _whole(value: pl.Expr, digits: int) -> pl.Expr:
    """A binary number in units of 1e-12 (or 1e-20) where its shortest text has no more decimals and 15 digits, else null.

    The number of units and 10 to that power are then held exactly, their quotient is rounded once, and of all texts
    with at most 15 digits only one reads as that number: it is the one that was written.
    """
    import polars as pl

    power = 10.0**digits
    units = (value * power).round()
    exact = (units / power == value) & (units.abs() < 10**15)
    if digits != WHOLES[0]:
        first = 10.0 ** WHOLES[0]
        exact &= (value * first).round() / first != value  # those are summed in the larger units
    return pl.when(exact).then(units).cast(pl.Int64).cast(pl.Int128)


def _written(values: pl.Series) -> pl.Series:
    """The shortest text of binary numbers; nothing is done for the nulls, which are most."""
    import polars as pl

    if values.null_count() == len(values):
        return pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    places = values.is_not_null().arg_true()
    text = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    return text.scatter(places, values.gather(places).cast(pl.String))


def _finer_than(scale: int, text: pl.Series) -> pl.Series:
    """True for numbers with more decimals than `scale`. Only long and scientific ones are looked at closely."""
    import polars as pl

    close = ((text.str.len_bytes() > scale + 1) | text.str.contains("[eE]")).fill_null(False)
    finer = pl.repeat(False, len(text), dtype=pl.Boolean, eager=True).alias(text.name)
    if not close.any():
        return finer
    places = close.arg_true()
    decimals = text.gather(places).to_frame("text").select(_decimals(pl.col("text"))).to_series()
    return finer.scatter(places, (decimals > scale).fill_null(False))


def _decimals(text: pl.Expr) -> pl.Expr:
    """How many decimals a number's text has. An exponent that is none counts as 0; the cast refuses such text."""
    import polars as pl

    exponent = text.str.find("[eE]")
    end = pl.coalesce(exponent, text.str.len_bytes()).cast(pl.Int32)
    behind = (end - text.str.find(".", literal=True).cast(pl.Int32) - 1).fill_null(0)
    power = text.str.slice(exponent + 1).str.strip_chars_start("+").cast(pl.Int32, strict=False)
    return behind - power.fill_null(0)
