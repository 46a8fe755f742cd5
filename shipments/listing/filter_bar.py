"""The filter bar, ready to show. Choices are written directly: eighty carriers through a template engine would take longer
than the rows of the list. Whoever filters by the same sees the same bar, so it is kept for the next page of the list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from django.forms import BoundField
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shipments.choices import DocumentType, Status
from shipments.filters import DUE_CHOICES, FILTERS, LATE_CHOICES, ShipmentFilter, reason_choices
from shipments.models import Shipment

YES_OR_NO = (("true", "yes"), ("false", "no"))
SELDOM = (
    "exception", "reason", "late", "due", "silent_days", "delivered_after", "delivered_before", "missing",
    "incomplete", "unmapped", "sample",
)  # fmt: skip
RARE = ("late_days", "late_days_under", "silent_days_under", "delivered_days", "delivered_days_under", "failed_after")
"""Of links from the home page; shown when they are set."""
MANY, ONE, DAY, DAYS, TEXT = "many", "one", "day", "days", "text"
_KINDS = {
    "status": MANY, "carrier": ONE, "created_after": DAY, "created_before": DAY, "missing": ONE, "incomplete": ONE, "unmapped": ONE,
    "sample": ONE, "exception": ONE, "reason": MANY, "late": ONE, "due": ONE, "late_days": DAYS, "late_days_under": DAYS,
    "silent_days": DAYS, "silent_days_under": DAYS, "delivered_days": DAYS, "delivered_days_under": DAYS,
    "delivered_after": DAY, "delivered_before": DAY, "failed_after": DAY,
}  # fmt: skip


Choices = tuple[tuple[str, str], ...]
_KEPT = ("sort", "columns")
"""Hidden fields of the form: what filtering anew must not lose."""


def bar_html(address: str, carriers: Choices) -> SafeString:
    """The form with its fields.

    Args:
        address: the list's part after the question mark.
        carriers: (code, name) of those to choose from.
    """
    data = QueryDict(address)
    asked = tuple((name, value) for name in (*FILTERS, *_KEPT) for value in data.getlist(name))
    return _written(asked, carriers, tuple(reason_choices()), get_language() or "")


@lru_cache(maxsize=256)
def _written(asked: tuple[tuple[str, str], ...], carriers: Choices, reasons: Choices, language: str) -> SafeString:
    data = QueryDict(mutable=True)
    for name, value in asked:
        data.appendlist(name, value)
    for name in FILTERS:
        data.setlistdefault(name, [])  # every field is shown, also those that are not set
    bar = bar_of(ShipmentFilter(data, queryset=Shipment.objects.none()), carriers, reasons)
    kept = [(name, value) for name, value in asked if name in _KEPT]
    return render_to_string("shipments/_shipment_filters.html", {"bar": bar, "kept": kept})


def bar_of(filters: ShipmentFilter, carriers: Choices, reasons: Choices) -> dict[str, Any]:
    """The fields used `often`, the `seldom` used ones, and how many of those are set.

    Of each field: `kind`, `label`, `value`, `errors` and, where one chooses, `options` as HTML.

    Args:
        carriers: (code, name) of those to choose from.
        reasons: (code, label) of those.
    """
    yes_or_no = [(value, _(word)) for value, word in YES_OR_NO]
    choices: dict[str, Iterable[tuple[Any, Any]]] = {
        "status": Status.choices, "carrier": carriers, "missing": DocumentType.choices,
        "unmapped": yes_or_no, "incomplete": yes_or_no, "sample": yes_or_no,
        "exception": yes_or_no, "reason": reasons, "late": LATE_CHOICES,
        "due": DUE_CHOICES,
    }  # fmt: skip
    set_now = [name for name in RARE if filters.data.get(name)]
    seldom = [_entry(filters.form[name], choices.get(name, ()), filters) for name in (*SELDOM, *set_now)]
    often = [name for name in filters.filters if name not in SELDOM and name not in RARE]
    return {
        "often": [_entry(filters.form[name], choices.get(name, ()), filters) for name in often],
        "seldom": seldom,
        "seldom_set": sum(bool(entry["value"]) for entry in seldom),
    }


def _entry(field: BoundField, choices: Iterable[tuple[Any, Any]], filters: ShipmentFilter) -> dict[str, Any]:
    kind = _KINDS.get(field.name, TEXT)
    chosen = [value for value in filters.data.getlist(field.name) if value]
    return {
        "name": field.name,
        "kind": kind,
        "label": capfirst(field.label),
        "id": field.id_for_label,
        "value": chosen[-1] if chosen else "",
        "chosen": len(chosen),
        "longest": getattr(field.field, "max_length", None) or "",
        "short": field.name == "country",
        "options": _ticks(field.name, choices, chosen) if kind == MANY else _options(choices, chosen),
        "errors": field.errors,
    }


def _options(choices: Iterable[tuple[Any, Any]], chosen: list[str]) -> SafeString:
    lines = [f'<option value="">{escape(_("any"))}</option>']
    for value, label in choices:
        selected = " selected" if value in chosen else ""
        lines.append(f'<option value="{escape(value)}"{selected}>{escape(str(label))}</option>')
    return mark_safe("".join(lines))  # noqa: S308  # every value was escaped


def _ticks(name: str, choices: Iterable[tuple[Any, Any]], chosen: list[str]) -> SafeString:
    lines = [
        f'<label class="form-check"><input class="form-check-input" type="checkbox" name="{name}"'
        f' value="{escape(value)}"{" checked" if value in chosen else ""}>'
        f' <span class="form-check-label">{escape(str(label))}</span></label>'
        for value, label in choices
    ]
    return mark_safe("".join(lines))  # noqa: S308  # every value was escaped
