"""Many events to rows at once: in columns where they have the usual shape, one by one where they have not.

Both ways make the same rows. A report is taken one by one, too, when anything beside it could change what it comes to: a
line that tells of a time-out or a crash, a time that is odd, a function that only its start names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from services_registry.models import Function
from services_registry.telemetry import partitions
from services_registry.telemetry.gather import (
    CLOCKS_DIFFER,
    PROBLEM_KINDS,
    Gathered,
    ReadyRows,
    SourceLine,
    gather,
    problem_of,
)
from services_registry.telemetry.identity import digest_of_text, key_of
from services_registry.telemetry.parser import PlatformLine
from services_registry.telemetry.parser.columns import Columns, numbers, read_columns
from services_registry.telemetry.sources import Event, EventCounter, LineReader

if TYPE_CHECKING:
    import polars as pl

MOST_EVENTS: Final = 20_000
MOST_CHARACTERS: Final = 32 << 20
WORTH_IT: Final = 500
"""Fewer events are read one by one: columns take a start, and their library memory."""
_TIME: Final = "%Y-%m-%dT%H:%M:%S%.3fZ"
_MICROSECONDS: Final = 1_000_000
_COPIED: Final = (
    "key", "function_id", "request_id", "digest", "at", "duration", "billed", "memory", "used", "init", "restore",
    "status", "error_type", "timed",
)  # fmt: skip


def chunks_of(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Events in pieces that fit into memory, whatever else stands in a log."""
    chunk: list[Event] = []
    size = 0
    for event in events:
        chunk.append(event)
        size += len(event.message)
        if len(chunk) >= MOST_EVENTS or size >= MOST_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def gather_events(chunk: Sequence[Event], reader: LineReader, counter: EventCounter, now: datetime) -> Gathered:
    """Sort what a chunk of events holds."""
    first, counter.events = counter.events, counter.events + len(chunk)
    if len(chunk) < WORTH_IT:
        return gather(_one_by_one(range(len(chunk)), chunk, first, reader, counter, now), now)
    found = read_columns(["" if event.broken else event.message for event in chunk])
    usual, odd = _usual(found, chunk, [reader.writer_of(event) for event in chunk], now)
    broken = [place for place, event in enumerate(chunk) if event.broken]
    lines = list(_one_by_one(sorted({*found.rest, *odd, *broken}), chunk, first, reader, counter, now))
    told = _told_of(lines)
    if told and usual.height:
        again = usual.filter(usual["request_id"].is_in(told))
        if again.height:
            usual = usual.filter(~usual["request_id"].is_in(told))
            lines += _one_by_one(again["place"].to_list(), chunk, first, reader, counter, now)
    gathered = gather(lines, now)
    gathered.lines += usual.height + len(found.companions)
    gathered.reports += usual.height
    if usual.height:
        gathered.ready = _ready(usual, gathered)
    return gathered


def _one_by_one(
    places: Iterable[int], chunk: Sequence[Event], first: int, reader: LineReader, counter: EventCounter, now: datetime
) -> Iterator[SourceLine]:
    for place in places:
        event, number = chunk[place], first + place
        found = reader.read(event)
        counter.add(number, [reason for line in found if (reason := problem_of(line))])
        if found:
            yield from reader.attributed(event, number, found, now)


def _told_of(lines: Iterable[SourceLine]) -> list[str]:
    """Request ids of invocations of which a line says that they timed out or crashed."""
    return list({
        entry.line.request_id
        for entry in lines
        if isinstance(entry.line, PlatformLine) and entry.line.kind in PROBLEM_KINDS and entry.line.request_id
    })  # fmt: skip


def _usual(
    found: Columns, chunk: Sequence[Event], writers: Sequence[Function | None], now: datetime
) -> tuple[pl.DataFrame, list[int]]:
    """Reports that may stay in columns, with function_id, at (µs since 1970), timed and the text of their digest; and the
    places of those that may not."""
    import polars as pl

    moment = round(now.timestamp() * _MICROSECONDS)
    beside = pl.DataFrame(
        {
            "function_id": [None if writer is None else writer.pk for writer in writers],
            "stated": [None if event.at is None else round(event.at.timestamp() * _MICROSECONDS) for event in chunk],
        },
        schema={"function_id": pl.Int64, "stated": pl.Int64},
    )
    reports = found.reports.with_columns(
        beside[found.reports["place"]], status=pl.lit("success"), stands=pl.lit(None, pl.Int64)
    ).with_columns(
        timed=pl.col("stated").is_not_null(),
        at=pl.col("stated").fill_null(moment),
        figures=_figures("duration", "init"),
    )
    records = found.records.with_columns(
        beside[found.records["place"]],
        stands=pl.col("time").str.to_datetime(_TIME, time_unit="us", strict=False).dt.timestamp("us"),
    ).with_columns(timed=pl.lit(True), at=pl.col("stands"))
    exact = records.select(numbers())
    records = records.with_columns(
        pl.Series("d", [f"{value:.2f}" for value in exact["duration_ms"].to_list()], dtype=pl.String),
        pl.Series("i", ["" if v is None else f"{v:.2f}" for v in exact["init_ms"].to_list()], dtype=pl.String),
    ).with_columns(figures=_figures("d", "i"))
    columns = ["place", "request_id", "duration", "billed", "memory", "used", "init", "status", "function_id", "at",
               "timed", "figures"]  # fmt: skip
    together = pl.concat([reports.select(columns), records.select(columns)])
    earliest = datetime.combine(partitions.first_key_day(now) + timedelta(days=1), time(), UTC)
    latest = now + CLOCKS_DIFFER
    good = together["function_id"].is_not_null() & together["at"].is_between(
        round(earliest.timestamp() * _MICROSECONDS), round(latest.timestamp() * _MICROSECONDS)
    ).fill_null(value=False)
    return together.filter(good), together.filter(~good)["place"].to_list()


def _figures(duration: str, init: str) -> pl.Expr:
    """The text that `identity.digest_of` makes of a line: every figure with two decimals."""
    import polars as pl

    whole = [pl.concat_str(pl.col(name), pl.lit(".00")) for name in ("billed", "memory", "used")]
    return pl.concat_str(pl.col(duration), *whole, pl.col(init).fill_null(""), pl.lit(""), separator="|")


def _ready(usual: pl.DataFrame, gathered: Gathered) -> ReadyRows:
    """The rows in COPY's text form, each key once; `gathered` has the keys of those that were read one by one."""
    import polars as pl

    digests = [digest_of_text(text) for text in usual["figures"].to_list()]
    keys = [
        key_of(*values)
        for values in zip(usual["function_id"].to_list(), usual["request_id"].to_list(), digests, strict=True)
    ]
    rows = usual.with_columns(pl.Series("key", keys, dtype=pl.String), pl.Series("digest", digests, dtype=pl.String))
    rows = rows.unique(subset="key", keep="first", maintain_order=True)
    if gathered.rows:
        rows = rows.filter(~pl.col("key").is_in(list(gathered.rows)))
    at = pl.from_epoch("at", time_unit="us")
    days = rows.select(at.dt.date().unique().alias("day"))["day"].to_list()
    text = rows.with_columns(
        at=at.dt.to_string("%Y-%m-%d %H:%M:%S%.6f+00:00"),
        init=pl.col("init").fill_null("\\N"), restore=pl.lit("\\N"), error_type=pl.lit(""),
        timed=pl.when("timed").then(pl.lit("t")).otherwise(pl.lit("f")),
    ).select(pl.concat_str(_COPIED, separator="\t").str.join("\n"))  # fmt: skip
    return ReadyRows(f"{text.item()}\n" if rows.height else "", frozenset(days))
