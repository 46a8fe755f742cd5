"""Which documents a form or a tool means: ticked ones, or all that match the filters of the list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from services_registry.capabilities import Selection, SelectionError
from shipments.capabilities.selection import resolve_rows
from shipments.filters import DocumentFilter
from shipments.models import Document


def chosen_ids(form: Any, *, most: int) -> list[int]:
    """Of a form with `keys`, or `all_matching` and `query`; see `ids_of`."""
    if form.get("all_matching"):
        try:
            selection: Mapping[str, Any] = {"query": json.loads(form.get("query") or "{}")}
        except ValueError as error:
            raise SelectionError(_("The filters cannot be understood.")) from error
    else:
        selection = {"keys": form.getlist("keys")}
    return ids_of(selection, most=most)


def ids_of(selection: Selection, *, most: int) -> list[int]:
    """Ids by delivery and type, so that what belongs together lies together.

    Raises:
        SelectionError: nothing is chosen, it cannot be understood, or it is more than `most`.
    """
    rows = Document.objects.order_by("shipment_id", "type", "pk")
    refs: Sequence[Any] = list(resolve_rows(selection, rows, DocumentFilter, "name", str(_("documents"))))
    if not refs:
        raise SelectionError(_("Choose some documents first."))
    if len(refs) > most:
        words = _("%(n)s documents are chosen; at most %(most)s go into one archive. Narrow the filters.")
        raise SelectionError(words % {"n": f"{len(refs):,}", "most": f"{most:,}"})
    return [int(ref.key) for ref in refs]
