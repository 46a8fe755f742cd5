"""The completeness board: counts by carrier and age that stay quick, and the rows below them with what to say of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from core.bounded import TookTooLongError, time_limit
from shipments.choices import TONES, Turn
from shipments.completeness.changes import waiver_of
from shipments.completeness.filters import AGES, ExpectedFilter, age_bounds
from shipments.completeness.kinds import error_words
from shipments.models import Carrier, ExpectedDocument
from shipments.models.completeness import NOT_KNOWN_YET

ORDER = ("due", "id")
COUNTED = 200_000
"""Rows that the matrix counts, most overdue first: some 60 ms."""
PATIENCE_MS = 400
SHOWN_CARRIERS = 12
AGE_TONES = {"not_due": "secondary", "day": "yellow", "days": "yellow", "week": "orange", "older": "red"}


@dataclass(slots=True)
class Line:
    """One carrier's counts, by age; in the order of `AGES`."""

    carrier_id: int
    code: str
    name: str
    counts: list[int]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def late(self) -> int:
        return sum(self.counts[1:])


@dataclass(slots=True)
class Matrix:
    """`more`: there are more rows than were counted. Not `known`: counting took too long."""

    lines: list[Line] = field(default_factory=list)
    more: bool = False
    known: bool = True

    @property
    def totals(self) -> list[int]:
        return [sum(column) for column in zip(*(line.counts for line in self.lines), strict=True)]

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)

    @property
    def late(self) -> int:
        return sum(line.late for line in self.lines)


def matrix_of(rows: QuerySet[ExpectedDocument], now: datetime | None = None) -> Matrix:
    """Counts of these rows, the carrier with most late ones first."""
    now = now or timezone.now()
    try:
        inner, values = rows.order_by("due").values("carrier_id", "due")[: COUNTED + 1].query.sql_with_params()
    except EmptyResultSet:  # the filters contradict each other
        return Matrix()
    columns, bounds = [], []
    for name in AGES:
        after, until = age_bounds(name, now)
        columns.append("count(*) FILTER (WHERE due > coalesce(%s, due - interval '1 s') AND due <= coalesce(%s, due))")
        bounds += [after, until]
    sql = f"SELECT carrier_id, {', '.join(columns)} FROM ({inner}) AS part GROUP BY carrier_id"  # noqa: S608
    try:
        with time_limit(PATIENCE_MS), connection.cursor() as cursor:
            cursor.execute(sql, [*bounds, *values])
            found = cursor.fetchall()
    except TookTooLongError:
        return Matrix(known=False)
    names = {pk: (code, name) for pk, code, name in Carrier.objects.order_by().values_list("pk", "code", "name")}
    lines = [Line(pk, *names.get(pk, ("", "")), counts) for pk, *counts in found]
    lines.sort(key=lambda line: (-line.late, -line.total, line.name))
    return Matrix(lines, more=sum(line.total for line in lines) > COUNTED)


def without(data: QueryDict, *names: str) -> QueryDict:
    """The address without some of its parts, and without the place in the list."""
    rest = data.copy()
    for name in (*names, "cursor", "undo"):
        rest.pop(name, None)
    return rest


def matrix_table(data: QueryDict, *, every_carrier: bool) -> dict[str, Any]:
    """The matrix of an address, each count with the address that shows exactly its rows."""
    rest = without(data, "carrier", "age", "late")
    filters = ExpectedFilter(rest, queryset=ExpectedDocument.objects.all())
    matrix = matrix_of(filters.qs if filters.is_valid() else ExpectedDocument.objects.none())

    def leads(**chosen: str) -> str:
        query = rest.copy()
        for name, value in chosen.items():
            query[name] = value
        return f"?{query.urlencode()}"

    chosen = (data.get("carrier", ""), data.get("age", ""))
    shown = [
        line for place, line in enumerate(matrix.lines)
        if every_carrier or place < SHOWN_CARRIERS or line.code == data.get("carrier")
    ]  # fmt: skip
    hidden = len(matrix.lines) - len(shown)
    every = rest.copy()
    every["all_carriers"] = "1"
    return {
        "known": matrix.known, "more": matrix.more, "total": matrix.total, "late": matrix.late,
        "heads": [{"name": name, "label": AGES[name][0], "tone": AGE_TONES[name]} for name in AGES],
        "lines": [
            {
                "name": line.name, "url": leads(carrier=line.code), "total": line.total,
                "chosen": chosen == (line.code, ""),
                "cells": [
                    _cell(count, name, leads(carrier=line.code, age=name), chosen == (line.code, name))
                    for name, count in zip(AGES, line.counts, strict=True)
                ],
            }
            for line in shown
        ],
        "totals": [
            _cell(count, name, leads(age=name), chosen == ("", name))
            for name, count in zip(AGES, matrix.totals, strict=False)
        ],
        "hidden": hidden, "hidden_rows": matrix.total - sum(line.total for line in shown),
        "every_url": f"?{every.urlencode()}", "all_url": leads(),
    }  # fmt: skip


def _cell(count: int, age: str, url: str, chosen: bool) -> dict[str, Any]:
    return {"count": count, "url": url, "tone": AGE_TONES[age], "chosen": chosen, "label": AGES[age][0]}


def walk_of(data: QueryDict) -> QuerySet[ExpectedDocument]:
    """The rows with only those filters that the index of the order serves; see `core.bounded`."""
    only = QueryDict(mutable=True)
    for name in ("state", "carrier"):
        only.setlist(name, data.getlist(name))
    rows: QuerySet[ExpectedDocument] = ExpectedFilter(only, queryset=ExpectedDocument.objects.all()).qs
    return rows


def dressed(rows: Sequence[ExpectedDocument], *, automatic: bool) -> list[dict[str, Any]]:
    """Rows with the words to show; one query for the waivers among them."""
    waivers, now = waiver_of(rows), timezone.now()
    return [
        {
            "row": row, "waiver": waivers.get((row.shipment_id, row.document_type)), **words_of(row),
            "next": row.next_try if row.next_try and row.next_try > now else None,
            "soon": automatic and row.next_try is not None and row.next_try <= now,
        }
        for row in rows
    ]  # fmt: skip


def words_of(row: Any) -> dict[str, Any]:
    """What to say of an `ExpectedDocument`, or of an `Expected` that is not stored."""
    return {
        "tone": TONES.get(row.state, "secondary"),
        "turn": Turn(row.turn).label if row.turn else "",
        "due": row.due if row.due < NOT_KNOWN_YET else None,
        "error": error_words(row.error_type, row.error_message),
    }


def as_query(address: Mapping[str, Any]) -> dict[str, Any]:
    """The filters in an address, as a selection of rows takes them: nothing else that is in it."""
    data = address if isinstance(address, QueryDict) else QueryDict("")
    names = set(ExpectedFilter.base_filters)
    return {name: data.getlist(name) for name in data if name in names and any(data.getlist(name))}
