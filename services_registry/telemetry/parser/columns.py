"""Many log events at once -> columns, for what makes up nearly all of a log: plain REPORT lines and JSON report records.

Only the exact shape that Lambda writes is read here, and with the result that `parse_message` gives. What is ordinary
text or a plain START or END is told apart; every other event is named in `rest`, for `parse_message` to read.

Measured (docs/telemetry.md): one check of the shape by a pattern without groups, then cutting at fixed places and tabs,
is twice as fast as a pattern with groups, and JSON read like that twice as fast as decoding it. Polars is imported on
the first use, which takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

_WHOLE: Final = "(?:0|[1-9][0-9]{0,8})"
_SIZE: Final = "[1-9][0-9]{0,8}"
_ID: Final = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BEFORE_REPORT_ID, _ID_LENGTH = "REPORT RequestId: ", 36
_BEFORE_DURATION: Final = "\tDuration: "
_DURATION_AT: Final = len(_BEFORE_REPORT_ID) + _ID_LENGTH + len(_BEFORE_DURATION)
_REPORT_NUMBERS: Final = (
    rf"^{_WHOLE}\.[0-9][0-9] ms\tBilled Duration: {_WHOLE} ms\tMemory Size: {_SIZE} MB\tMax Memory Used: {_WHOLE} MB"
    rf"(?:\tInit Duration: {_WHOLE}\.[0-9][0-9] ms)?\t?\n?$"
)
_START_OR_END: Final = (
    r"^(?:START RequestId: [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} Version: (?:\$LATEST|[0-9]{1,15})"
    r"|END RequestId: [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n?$"
)
_MARKED: Final = r"RequestId:|Task timed out|INIT_|RESTORE_|XRAY|platform\.|(?:EXTENSION|TELEMETRY|LOGS)[ \t]+Name: "

# A JSON record as Lambda writes it, without blanks: known texts at fixed places, a time of 24 and an id of 36 characters.
_BEFORE_TIME, _TIME_LENGTH = '{"time":"', 24
_BEFORE_ID: Final = '","type":"platform.report","record":{"requestId":"'
_BEFORE_NUMBERS: Final = '","metrics":{"durationMs":'
_JSON_ID_AT: Final = len(_BEFORE_TIME) + _TIME_LENGTH + len(_BEFORE_ID)
_NUMBERS_AT: Final = _JSON_ID_AT + _ID_LENGTH + len(_BEFORE_NUMBERS)
_TIME: Final = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$"
_NUMBER: Final = rf"{_WHOLE}(?:\.[0-9]{{1,6}})?"
_NUMBERS: Final = (
    rf'^{_NUMBER},"billedDurationMs":{_WHOLE},"memorySizeMB":{_SIZE},"maxMemoryUsedMB":{_WHOLE}'
    rf'(?:,"initDurationMs":{_NUMBER})?\}},"status":"(?:success|error|timeout|failure)"\}}\}}\n?$'
)


@dataclass(frozen=True, slots=True)
class Columns:
    """What was found in a list of texts. `place`: the index of a text.

    Both frames: place, request_id, and the texts of the numbers: duration, billed, memory, used, init (null: none
    stated). Records also have time and status.
    """

    reports: pl.DataFrame
    records: pl.DataFrame
    companions: list[int]
    """Places of plain START and END lines."""
    rest: list[int]
    """Places of events to be read one by one. A place that is nowhere is ordinary text."""


def read_columns(texts: Sequence[str]) -> Columns:
    """Sort texts of log events into what can be read in columns and what cannot."""
    import polars as pl

    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_row_index("place")
    kinds = _kinds()
    reports, others = _parted(frame, kinds["report"], kinds["begins as a report"])
    records, others = _parted(others, kinds["record"], kinds["begins as a record"])
    companions, others = _parted(others, kinds["companion"])
    rest, _ordinary = _parted(others, kinds["marked"])
    return Columns(
        _cut(reports, _report_cuts),
        _cut(records, _record_cuts),
        companions["place"].to_list(),
        rest["place"].to_list(),
    )


def _parted(frame: pl.DataFrame, wanted: pl.Expr, likely: pl.Expr | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that are wanted, and the others. `likely` is a cheap test that all wanted rows pass."""
    if not frame.height or (likely is not None and not frame.select(likely.any()).item()):
        return frame.clear(), frame
    mask = frame.select(wanted).to_series()
    return (frame, frame.clear()) if mask.all() else (frame.filter(mask), frame.filter(~mask))


def _cut(frame: pl.DataFrame, cuts: Callable[[], tuple[list[pl.Expr], list[pl.Expr]]]) -> pl.DataFrame:
    """The columns of texts whose shape was checked."""
    return _cut_now(frame, cuts) if frame.height else _no_rows(cuts)


def _cut_now(frame: pl.DataFrame, cuts: Callable[[], tuple[list[pl.Expr], list[pl.Expr]]]) -> pl.DataFrame:
    parts, columns = cuts()
    return frame.select("place", *parts).unnest("parts").select("place", *columns)


@cache
def _no_rows(cuts: Callable[[], tuple[list[pl.Expr], list[pl.Expr]]]) -> pl.DataFrame:
    import polars as pl

    return _cut_now(pl.DataFrame(schema={"place": pl.UInt32, "text": pl.String}), cuts)


@cache
def _report_cuts() -> tuple[list[pl.Expr], list[pl.Expr]]:
    import polars as pl

    text = pl.col("text").str
    field = [pl.col(f"field_{n}").str for n in range(5)]
    return [
        text.slice(len(_BEFORE_REPORT_ID), _ID_LENGTH).alias("request_id"),
        text.slice(_DURATION_AT).str.strip_suffix("\n").str.split_exact("\t", 5).alias("parts"),
    ], [
        pl.col("request_id"),
        field[0].head(-3).alias("duration"),
        field[1].slice(len("Billed Duration: ")).str.head(-3).alias("billed"),
        field[2].slice(len("Memory Size: ")).str.head(-3).alias("memory"),
        field[3].slice(len("Max Memory Used: ")).str.head(-3).alias("used"),
        pl.when(field[4].len_bytes() > 0).then(field[4].slice(len("Init Duration: ")).str.head(-3)).alias("init"),
    ]


@cache
def _record_cuts() -> tuple[list[pl.Expr], list[pl.Expr]]:
    import polars as pl

    text = pl.col("text").str
    field = [pl.col(f"field_{n}").str for n in range(5)]
    cold = pl.col("field_5").is_not_null()
    return [
        text.slice(len(_BEFORE_TIME), _TIME_LENGTH).alias("time"),
        text.slice(_JSON_ID_AT, _ID_LENGTH).alias("request_id"),
        text.slice(_NUMBERS_AT).str.split_exact(",", 5).alias("parts"),
    ], [
        pl.col("time"),
        pl.col("request_id"),
        pl.col("field_0").alias("duration"),
        field[1].slice(len('"billedDurationMs":')).alias("billed"),
        field[2].slice(len('"memorySizeMB":')).alias("memory"),
        field[3].slice(len('"maxMemoryUsedMB":')).str.strip_suffix("}").alias("used"),
        pl.when(cold).then(field[4].slice(len('"initDurationMs":')).str.strip_suffix("}")).alias("init"),
        pl.coalesce("field_5", "field_4")
        .str.strip_chars_end("\n").str.slice(len('"status":"')).str.head(-3).alias("status"),
    ]  # fmt: skip


@cache
def numbers() -> list[pl.Expr]:
    """Expressions that turn the texts of the numbers of either frame into numbers."""
    import polars as pl

    return [
        pl.col("duration").cast(pl.Float64).alias("duration_ms"),
        pl.col("billed").cast(pl.Int64).alias("billed_ms"),
        pl.col("memory").cast(pl.Int64).alias("memory_mb"),
        pl.col("used").cast(pl.Int64).alias("max_memory_mb"),
        pl.col("init").cast(pl.Float64).alias("init_ms"),
    ]


@cache
def _kinds() -> dict[str, pl.Expr]:
    import polars as pl

    text = pl.col("text").str
    return {
        "begins as a report": text.starts_with(_BEFORE_REPORT_ID),
        "begins as a record": text.starts_with(_BEFORE_TIME),
        "report": text.starts_with(_BEFORE_REPORT_ID)
        & text.slice(len(_BEFORE_REPORT_ID) + _ID_LENGTH, len(_BEFORE_DURATION)).eq(_BEFORE_DURATION)
        & text.slice(len(_BEFORE_REPORT_ID), _ID_LENGTH).str.contains(rf"^{_ID}$")
        & text.slice(_DURATION_AT).str.contains(_REPORT_NUMBERS),
        "record": text.starts_with(_BEFORE_TIME)
        & text.slice(len(_BEFORE_TIME) + _TIME_LENGTH, len(_BEFORE_ID)).eq(_BEFORE_ID)
        & text.slice(_JSON_ID_AT + _ID_LENGTH, len(_BEFORE_NUMBERS)).eq(_BEFORE_NUMBERS)
        & text.slice(len(_BEFORE_TIME), _TIME_LENGTH).str.contains(_TIME)
        & text.slice(_JSON_ID_AT, _ID_LENGTH).str.contains(rf"^{_ID}$")
        & text.slice(_NUMBERS_AT).str.contains(_NUMBERS),
        "marked": text.contains(_MARKED),
        "companion": text.contains(_START_OR_END),
    }
