"""The Polars expressions that turn the columns of one table into the columns that are summed.

`k_...` tells charges apart, `r_...` are times as written, `t_0, t_1, ...` are numbers as written, `v_0, v_1, ...` the same as
decimals, and `odd` marks the lines that Python must look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from costs.imports.layouts import Layout, Part, spelled
from costs.imports.shapes import SUMS

if TYPE_CHECKING:
    import polars as pl

SCALE = 24
LARGEST = 10**7
TEXTS = (
    "provider", "billing_account", "account", "service", "service_code", "usage_type", "operation", "region",
    "resource", "charge_category", "line_type", "currency", "capability", "unit",
)  # fmt: skip
DAYS = ("day", "until", "month")
KEYS = [f"k_{name}" for name in (*DAYS, *TEXTS)]
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

    def column_of(self, name: str) -> str:
        """A column's name as the file spells it."""
        return self.columns.get(name, name)

    def ready(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The frame with all columns named above."""
        frame = frame.with_columns(self._times()).with_columns(self._days()).with_columns(self._texts())
        frame = frame.with_columns(self.number(part).alias(f"t_{at}") for at, (_name, part) in enumerate(self.parts))
        return frame.with_columns(self._values()).with_columns(self._odd().alias("odd"))

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

    def _texts(self) -> list[pl.Expr]:
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
        layout = self.layout
        return [
            self.first([name]).alias(alias)
            for name, alias in zip((layout.start, layout.end, layout.month), TIMES, strict=True)
        ]

    def _days(self) -> list[pl.Expr]:
        """Days in UTC; null where a time cannot be read here. An end at midnight belongs to the day before."""
        import polars as pl

        start, end = _date("r_start"), _date("r_end")
        after = start.dt.offset_by("1d")
        end = pl.when(pl.col("r_end").str.slice(10).str.contains("[1-9]")).then(end.dt.offset_by("1d")).otherwise(end)
        until = pl.when(pl.col("r_end") == "").then(after).otherwise(pl.max_horizontal(end, after))
        month = pl.when(pl.col("r_month") == "").then(start).otherwise(_date("r_month"))
        return [start.alias("k_day"), until.alias("k_until"), month.dt.month_start().alias("k_month")]

    # --- sums ---

    def number(self, part: Part) -> pl.Expr:
        """The text of a number where this part counts, else null."""
        import polars as pl

        text, kind = self.text(part.column), pl.col("k_line_type")
        if part.only:
            return pl.when(kind.is_in(list(part.only))).then(text)
        if part.but:
            text = pl.when(~kind.is_in(list(part.but))).then(text)
        if part.unless and part.unless[1] in self.columns:
            text = pl.when((kind != part.unless[0]) | self.text(part.unless[1]).is_null()).then(text)
        return text

    def _values(self) -> list[pl.Expr]:
        import polars as pl

        decimal = pl.Decimal(38, SCALE)
        return [pl.col(f"t_{at}").cast(decimal, strict=False).alias(f"v_{at}") for at in range(len(self.parts))]

    def _odd(self) -> pl.Expr:
        """True where a number does not fit, a time is not plain UTC, or something required is missing."""
        import polars as pl

        wrong = [pl.col("k_day").is_null(), pl.col("k_until").is_null(), pl.col("k_month").is_null()]
        wrong += [pl.col("k_currency") == "", _zoned("r_start"), _zoned("r_end")]
        for at, (name, _part) in enumerate(self.parts):
            text, value = pl.col(f"t_{at}"), pl.col(f"v_{at}")
            wrong += [text.is_not_null() & value.is_null(), value.abs() >= LARGEST, _decimals(text) > SCALE]
            if name == "billed_cost":
                wrong.append(text.is_null())
        return pl.any_horizontal(*[flag.fill_null(False) for flag in wrong])


def _date(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _zoned(name: str) -> pl.Expr:
    """True when the time of day has an offset from UTC."""
    import polars as pl

    return pl.col(name).str.slice(10).str.contains("[-+]")


def _decimals(text: pl.Expr) -> pl.Expr:
    """At least as many decimals as a number's text has."""
    import polars as pl

    behind = (text.str.len_bytes() - text.str.find(".", literal=True) - 1).fill_null(0).cast(pl.Int32)
    exponent = text.str.extract(r"[eE]-(\d+)$", 1).cast(pl.Int32, strict=False)
    return behind + exponent.fill_null(0)
