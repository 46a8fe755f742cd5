"""The columns that people can choose for the list of deliveries and its CSV download."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache
from html import escape
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core import formats
from core.templatetags.core_tags import age_text
from shipments.choices import Status
from shipments.completeness.panel import Tally
from shipments.reasons import reason_label
from shipments.templatetags.shipment_tags import status_badge


@dataclass(frozen=True, slots=True)
class Words:
    """What the cells of one page have in common: looked up once, not 50 times."""

    now: datetime
    zone: tzinfo
    carriers: dict[int, str]
    badges: dict[str, str]
    language: str
    documents: dict[int, Tally] = field(default_factory=dict)
    """Of the rows shown, where the column is: how many of their documents are there."""

    @classmethod
    def for_request(cls, carriers: dict[int, str]) -> Words:
        language = get_language() or ""
        return cls(timezone.now(), timezone.get_current_timezone(), carriers, _badges(language), language)


@cache
def _badges(language: str) -> dict[str, str]:
    return {value: str(status_badge(value)) for value in Status.values}


Cell = Callable[[Any, Words], str]


@dataclass(frozen=True, slots=True)
class Column:
    """`fields` are read from the database, `cell` writes HTML (and escapes), `value` is for CSV, `sort` an order."""

    name: str
    label: Promise
    fields: tuple[str, ...]
    cell: Cell
    value: Callable[[Any, Words], Any]
    sort: str = ""
    keep: bool = True


def _text(name: str) -> Cell:
    return lambda row, words: escape(getattr(row, name))


def _plain(name: str) -> Callable[[Any, Words], Any]:
    return lambda row, words: getattr(row, name)


def _moment(name: str) -> Cell:
    def cell(row: Any, words: Words) -> str:
        moment: datetime | None = getattr(row, name)
        if moment is None:
            return formats.NO_VALUE
        exact = moment.astimezone(words.zone).strftime("%Y-%m-%d %H:%M:%S %Z")
        stamp, age = moment.isoformat(timespec="seconds"), escape(age_text(moment, words.now, words.language))
        return f'<time datetime="{stamp}" title="{escape(exact)}">{age}</time>'

    return cell


def _status(row: Any, words: Words) -> str:
    badge = words.badges.get(row.status) or escape(row.status)
    return f'{badge} <span class="badge tone-yellow">{escape(str(_("not mapped")))}</span>' if row.unmapped else badge


def _reason(row: Any, words: Words) -> str:
    return escape(reason_label(row.reason))


def _documents(row: Any, words: Words) -> str:
    tally = words.documents.get(row.id)
    if tally is None:
        return formats.NO_VALUE
    return f'<span class="badge tone-{tally.tone}">{tally.there}/{tally.expected}</span>'


def _documents_text(row: Any, words: Words) -> str:
    """Not `3/4`: a spreadsheet would make a day of it."""
    tally = words.documents.get(row.id)
    return f"{tally.there} of {tally.expected}" if tally else ""


def _column(name: str, label: Any, *, sort: str = "", keep: bool = True) -> Column:
    return Column(name, label, (name,), _text(name), _plain(name), sort, keep)


def _time(name: str, label: Any, *, sort: str = "") -> Column:
    return Column(name, label, (name,), _moment(name), _plain(name), sort)


NUMBER = _column("tracking_number", _("Tracking number"), sort="tracking_number")
_KNOWN = (
    NUMBER,
    Column("status", _("Status"), ("status", "unmapped"), _status, _plain("status")),
    Column("reason", _("Reason"), ("reason",), _reason, _plain("reason")),
    Column(
        "carrier", _("Carrier"), ("carrier_id",),
        lambda row, words: escape(words.carriers.get(row.carrier_id, "")),
        lambda row, words: words.carriers.get(row.carrier_id, ""),
    ),
    _column("reference", _("Reference")),
    _column("customer", _("Customer"), keep=False),
    Column(
        "to", _("To"), ("city", "destination_country"),
        lambda row, words: escape(f"{row.city or ''} {row.destination_country}".strip()),
        lambda row, words: f"{row.city or ''} {row.destination_country}".strip(),
        keep=False,
    ),
    Column("documents", _("Documents"), ("id",), _documents, _documents_text),
    _column("incoterm", _("Incoterm")),
    _time("created", _("Ordered"), sort="created"),
    _time("promised", _("Promised")),
    _time("delivered", _("Delivered"), sort="delivered"),
    _time("status_at", _("Status since")),
    _time("last_event", _("Last heard")),
    _time("updated", _("Changed here"), sort="updated"),
)  # fmt: skip
COLUMNS: dict[str, Column] = {column.name: column for column in _KNOWN}
DEFAULT = ("tracking_number", "status", "carrier", "reference", "customer", "to", "created", "documents")


def columns_of(names: Iterable[str]) -> list[Column]:
    """The columns of these names in this order; the tracking number first, unknown names left out."""
    chosen = [name for name in dict.fromkeys(names) if name in COLUMNS and name != NUMBER.name]
    return [NUMBER, *(COLUMNS[name] for name in chosen or DEFAULT if name != NUMBER.name)]


def fields_of(columns: Sequence[Column], *others: str) -> list[str]:
    """What to read from the database for these columns, each field once."""
    return list(dict.fromkeys([*(field for column in columns for field in column.fields), *others]))
