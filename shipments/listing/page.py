"""What the page of the list shows besides its rows: heads to sort by, chips, views, columns, an exact match."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core import saved_views
from core.saved_view_pages import SavedViewPages
from core.templatetags.core_tags import moment
from shipments.filters import SORT_NEEDS, chips_of
from shipments.listing.asked import Asked
from shipments.listing.columns import COLUMNS, NUMBER, Column, Words
from shipments.listing.filter_bar import bar_html
from shipments.listing.table import rows_html
from shipments.models import Carrier, Shipment

LIST_NAME = "shipments"
VIEWS = SavedViewPages(LIST_NAME, list_url="shipment-list", name="shipment-view")
REMEMBERED = "columns.shipments"
MOST_EXACT = 5


def asked_by(request: HttpRequest) -> Asked:
    return Asked.of(request.GET, request.session.get(REMEMBERED) or ())


def words_now() -> Words:
    return Words.for_request(dict(Carrier.objects.order_by().values_list("pk", "name")))


def context_of(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """Everything `shipment_list.html` shows."""
    page = asked.page(request.GET.get("cursor", "")).linked(request)
    carriers = list(Carrier.objects.order_by("name").values_list("pk", "code", "name"))
    words, may_run = (
        Words.for_request({pk: name for pk, _code, name in carriers}),
        request.user.has_perm("core.operate"),
    )
    words.documents.update(asked.tallies([row.id for row in page.rows]))
    views = saved_views.listed(request.user, LIST_NAME)
    return {
        "asked": asked,
        "filter_bar": bar_html(asked.address, tuple((code, name) for _pk, code, name in carriers)),
        "page": page,
        "searched_to": _words_of(page.searched_to),
        "rows_html": rows_html(page.rows, asked.columns, words, came_from=quote(asked.address), ticks=may_run),
        "count": asked.count(page),
        "heads": [_head(column, asked) for column in asked.columns],
        "chips": chips_of(asked.filters),
        "choices": _choices(tuple(column.name for column in asked.columns), get_language() or ""),
        "views": views,
        "view_names": VIEWS.names,
        "view": next((view for view in views if str(view.pk) == request.GET.get("view")), None),
        "in_documents": asked.filters.in_documents,
        "exact": _exact(request, words) if not request.GET.get("cursor") else [],
        "selection": asked.selection() if may_run and page.rows else "",
        "may_run": may_run,
    }


def _words_of(edge: Any) -> str:
    """How far a search came, for people: a moment or a tracking number."""
    return str(moment(edge)) if isinstance(edge, datetime) else str(edge or "")


def _head(column: Column, asked: Asked) -> dict[str, str]:
    """A column's head, with the address that sorts by it; the other way round when it sorts already."""
    data = QueryDict(asked.address)
    needed = SORT_NEEDS.get(column.sort, ())
    if not column.sort or (needed and not any(data.get(name) for name in needed)):
        return {"label": str(column.label), "url": "", "sorted": ""}
    down, up = f"-{column.sort}", column.sort
    first, second = (up, down) if column is NUMBER else (down, up)
    query = QueryDict(asked.address, mutable=True)
    query["sort"] = second if asked.sort == first else first
    sorted_now = {down: "descending", up: "ascending"}.get(asked.sort, "")
    return {"label": str(column.label), "url": f"?{query.urlencode()}", "sorted": sorted_now}


@lru_cache(maxsize=128)
def _choices(shown: tuple[str, ...], language: str) -> SafeString:
    """All columns, the shown ones first in their order, each with its tick and a button that moves it forward."""
    lines = []
    for name in [*shown, *(name for name in COLUMNS if name not in shown)]:
        if name == NUMBER.name:
            continue
        label, forward = escape(str(COLUMNS[name].label)), escape(_("Move %s forward") % COLUMNS[name].label)
        lines.append(
            f'<li><label class="form-check"><input class="form-check-input" type="checkbox" name="columns" value="{name}"'
            f'{" checked" if name in shown else ""}><span class="form-check-label">{label}</span></label>'
            f'<button type="button" class="btn btn-sm btn-ghost-secondary" data-up aria-label="{forward}">↑</button></li>'
        )
    return mark_safe("".join(lines))  # noqa: S308  # every value was escaped


def _exact(request: HttpRequest, words: Words) -> list[dict[str, str]]:
    """Deliveries whose number is exactly what was searched for, to be opened at once."""
    text = request.GET.get("q", "").strip().replace("\0", "")
    if not text:
        return []
    rows = Shipment.objects.filter(tracking_number__in={text, text.upper()}).order_by()
    return [
        {
            "number": number,
            "url": reverse("shipment-detail", args=[pk]),
            "carrier": words.carriers.get(carrier, ""),
            "status": status,
        }
        for pk, number, carrier, status in rows.values_list("pk", "tracking_number", "carrier_id", "status")[
            :MOST_EXACT
        ]
    ]
