"""The columns of the registry list: how each is called, sorted and written into a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from services_registry.function_facts import FunctionFacts

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

MINIMUM_SAMPLE = 20
"""Rates of fewer calls are shown but ranked last: 1 failure of 1 call is not 100 %."""


def _rate(value: float | None, sample: int | None) -> tuple[bool, float]:
    return ((sample or 0) >= MINIMUM_SAMPLE, value or 0.0)


def _number(value: Any) -> tuple[bool, Any]:
    """What was not measured comes last."""
    return (value is not None, value or 0)


@dataclass(frozen=True, slots=True)
class Column:
    """`rank` makes the list sortable by it; `cell` is its value in a file."""

    name: str
    label: _StrOrPromise
    cell: Callable[[FunctionFacts], Any]
    rank: Callable[[FunctionFacts], Any] | None = None
    numeric: bool = True


def _text(name: str, label: _StrOrPromise) -> Column:
    def value(facts: FunctionFacts) -> str:
        return str(getattr(facts.function, name))

    return Column(name, label, value, value, numeric=False)


def _percentile(name: str) -> Column:
    def value(facts: FunctionFacts) -> float | None:
        return facts.percentiles.get(name)

    return Column(name, name, value, lambda facts: _number(value(facts)))


ALL = (
    _text("name", _("Name")),
    _text("runtime", _("Runtime")),
    _text("owner", _("Owner")),
    _text("capability", _("Capability")),
    Column("invocations", _("Invocations"), lambda f: f.invocations, lambda f: f.invocations or 0),
    Column("change", _("Change"), lambda f: f.change, lambda f: _rate(f.change, f.before_invocations)),
    Column("course", _("Course"), lambda f: " ".join("" if n is None else str(n) for n in f.spark), None, numeric=False),
    Column("errors", _("Errors"), lambda f: f.error_share, lambda f: _rate(f.error_share, f.invocations)),
    Column("timeouts", _("Time-outs"), lambda f: f.timeouts, lambda f: f.timeouts or 0),
    Column("throttles", _("Throttles"), lambda f: f.throttles, lambda f: _number(f.throttles)),
    Column("cold_starts", _("Cold starts"), lambda f: f.cold_share, lambda f: _rate(f.cold_share, f.invocations)),
    _percentile("p50"),
    _percentile("p95"),
    _percentile("p99"),
    Column("memory", _("Memory"), lambda f: f.memory_share, lambda f: _number(f.memory_share)),
    Column("timeout", _("Time-out"), lambda f: f.function.timeout_s, lambda f: f.function.timeout_s),
    Column("size", _("Package"), lambda f: f.function.code_bytes, lambda f: f.function.code_bytes),
    _text("region", _("Region")),
    _text("account", _("Account")),
    Column("counted_by", _("Counted by"), lambda f: f.counted_by, lambda f: str(f.counted_by), numeric=False),
    Column("kind", _("Kind"), lambda f: f.function.get_kind_display(), lambda f: f.function.kind, numeric=False),
    Column("cost", _("Cost"), lambda f: f.cost, lambda f: _number(f.cost)),
)  # fmt: skip
COLUMNS = {column.name: column for column in ALL}
USUAL = (
    "name", "runtime", "owner", "invocations", "change", "course", "errors", "timeouts", "cold_starts", "p50", "p95",
    "p99", "memory", "timeout", "cost",
)  # fmt: skip


def columns_of(names: Sequence[str]) -> list[Column]:
    """The named columns in their order, the name always first; the usual ones when none is known."""
    known = [COLUMNS[name] for name in dict.fromkeys(names) if name in COLUMNS and name != "name"]
    return [COLUMNS["name"], *known] if known else [COLUMNS[name] for name in USUAL]


def ranked(facts: list[FunctionFacts], sort: str) -> list[FunctionFacts]:
    """Sorted by a column (`-cost`: the other way round); by name among equals; by invocations when there is no such."""
    column = COLUMNS.get(sort.lstrip("-"))
    if column is None or column.rank is None:
        column, sort = COLUMNS["invocations"], "-invocations"
    facts = sorted(facts, key=lambda entry: entry.function.name)
    facts.sort(key=column.rank, reverse=sort.startswith("-"))  # type: ignore[arg-type]  # not None, see above
    return facts


def heads_of(columns: Sequence[Column], sort: str) -> list[dict[str, Any]]:
    """The heads of the table; a click sorts by the column, a second click the other way round."""
    heads = []
    for column in columns:
        present, down = sort.lstrip("-") == column.name, sort.startswith("-")
        direction = ("descending" if down else "ascending") if column.rank and present else ""
        wanted = f"-{column.name}" if (column.numeric and not present) or (present and not down) else column.name
        heads.append({
            "name": column.name, "label": column.label, "sort": wanted if column.rank else "",
            "direction": direction, "num": column.numeric,
        })  # fmt: skip
    return heads


def choices_of(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Every column but the name, the shown ones first, each with whether it is shown."""
    shown = [column.name for column in columns]
    others = [column.name for column in ALL if column.name not in shown]
    return [
        {"name": name, "label": COLUMNS[name].label, "shown": name in shown}
        for name in [*shown, *others]
        if name != "name"
    ]
