"""What the columns of a file mean: known by their names, or said once by a person and remembered for that header."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from shipments.deliveries.columns import ALIASES, COLUMNS, Problem, column_of
from shipments.deliveries.reading import IMPORT_COLUMNS
from shipments.models import Carrier, ColumnMapping

NESTED = {"sender_name": "sender", "recipient_name": "recipient"}
"""What a column means whose value is an object with the parts of a party."""
MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Meanings:
    """{column of the file: our field, or empty to leave it out}, and the carrier of a file that names none."""

    columns: Mapping[str, str] = field(default_factory=dict)
    carrier: Carrier | None = None
    _known: dict[str, str] = field(default_factory=dict, compare=False)

    def field_of(self, column: str) -> str:
        """A column that was not there when the mapping was made means what its name says."""
        known = self._known.get(column)
        if known is None:
            known = self._looked_up(column)
            if len(self._known) < MOST_KEPT:  # rows of NDJSON may name ever other columns
                self._known[column] = known
        return known

    def _looked_up(self, column: str) -> str:
        if column in self.columns:
            return self.columns[column]
        name = "" if column in IMPORT_COLUMNS else (column_of(column) or "")
        return "" if name in self.columns.values() else name

    def read(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """The row by our fields. A field that two columns of the row state differently is a problem."""
        found: dict[str, Any] = {}
        problems = []
        for column, value in values.items():
            name = self.field_of(column)
            if not name:
                continue
            if isinstance(value, Mapping):
                name = NESTED.get(name, name)
            if name in found and found[name] != value:
                problems.append(Problem(name, "is stated twice, in two ways", "repeated_field"))
            found[name] = value
        if self.carrier is not None and "carrier" not in found:
            found["carrier"] = self.carrier.code
        return found, problems

    def missing(self, header: Sequence[str]) -> list[str]:
        """Our fields that every row needs and no column of this header gives."""
        given = {self.field_of(column) for column in header}
        needed = ["tracking_number"] if self.carrier else ["carrier", "tracking_number"]
        return [name for name in needed if name not in given]

    def unused(self, header: Sequence[str]) -> list[str]:
        return [column for column in header if not self.field_of(column) and column not in IMPORT_COLUMNS]

    def repeated(self, header: Sequence[str]) -> list[str]:
        """Our fields that more than one column would fill."""
        given = [self.field_of(column) for column in header]
        return sorted({name for name in given if name and given.count(name) > 1})


def by_name(header: Sequence[str]) -> dict[str, str]:
    """The mapping that the names of the columns suggest; the first of two that mean the same gets the field."""
    columns: dict[str, str] = {}
    for column in header:
        name = column_of(column) or ""
        if column not in IMPORT_COLUMNS:
            columns[column] = name if name not in columns.values() else ""
    return columns


def header_digest(header: Iterable[str]) -> str:
    """The same for the same columns in any order and case; what we added to a file of refused rows does not count."""
    names = sorted(column.casefold().strip() for column in header if column not in IMPORT_COLUMNS)
    return hashlib.sha256("\x1f".join(names).encode("utf-8", "replace")).hexdigest()


def remembered(header: Sequence[str]) -> ColumnMapping | None:
    return ColumnMapping.objects.select_related("carrier").filter(header_digest=header_digest(header)).first()


def meanings_of(mapping: ColumnMapping, header: Sequence[str]) -> Meanings:
    """A remembered mapping for this very spelling of the header."""
    known = {str(column).casefold().strip(): str(name) for column, name in mapping.columns.items()}
    return Meanings({column: known.get(column.casefold().strip(), "") for column in header}, mapping.carrier)


def remember(*, header: Sequence[str], meanings: Meanings, actor: Any) -> ColumnMapping:
    """The next file with these columns needs no questions."""
    columns = {column: meanings.field_of(column) for column in header if column not in IMPORT_COLUMNS}
    mapping, _new = ColumnMapping.objects.update_or_create(
        header_digest=header_digest(header),
        defaults={
            "header": list(columns), "columns": columns, "carrier": meanings.carrier,
            "changed_by": actor.get_username() if getattr(actor, "pk", None) else "system",
            "changed": timezone.now(),
        },
    )  # fmt: skip
    return mapping


def complaint(meanings: Meanings, header: Sequence[str]) -> str:
    """Why a file with this header cannot be imported with these meanings; empty when it can."""
    if missing := meanings.missing(header):
        return _("The header line has no column %(name)s (also accepted: %(others)s). It reads: %(header)s") % {
            "name": missing[0],
            "others": ", ".join(sorted(alias for alias, name in ALIASES.items() if name == missing[0])),
            "header": ", ".join(header)[:200],
        }
    if twice := meanings.repeated(header):
        return _("The header line names %(names)s more than once. Keep one of them.") % {"names": ", ".join(twice)}
    return ""


def fields() -> tuple[str, ...]:
    """What a column can mean."""
    return COLUMNS
