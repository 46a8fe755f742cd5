"""The entries of what we did: function runs on a delivery and its messages, and people's actions on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import target_of
from core.formats import duration_ms_text
from core.models import AuditEntry
from services_registry import capabilities
from services_registry.choices import TONES as WORK_TONES
from services_registry.choices import ItemState
from services_registry.models import BatchItem
from shipments.models import AutomationRun, CarrierMessage, Shipment
from shipments.timeline.entries import Badge, Entry
from shipments.timeline.sources import Source

NEWEST_MESSAGES = 500
"""Runs on older messages of the same delivery are not looked for."""


class Runs(Source):
    """Items of batches: this delivery, and the messages about it."""

    kind, at = "run", "happened"

    def rows(self) -> QuerySet[Any]:
        # Keys are read first: with a subquery beside an OR the index on the key is not used.
        pk, messages = str(self.scope.shipment.pk), self._messages
        mine = Q(key=pk, batch__capability__in=_slugs(Shipment))
        mine |= Q(key__in=messages, batch__capability__in=_slugs(CarrierMessage))
        found = BatchItem.objects.filter(mine, key__in=[pk, *messages]).annotate(
            happened=Coalesce("settled", "batch__created")
        )
        return found.select_related("batch", "chunk").only(
            "key", "state", "error_type", "error_message", "duration_ms", "settled", "batch__title", "batch__created",
            "batch__function_name", "batch__created_by_name", "chunk__duration_ms", "chunk__outcome",
        )  # fmt: skip

    @cached_property
    def _messages(self) -> list[str]:
        newest = self.scope.shipment.messages.order_by("-pk").values_list("pk", flat=True)[:NEWEST_MESSAGES]
        return [str(pk) for pk in newest]

    def entry(self, row: BatchItem) -> Entry:
        state = ItemState(row.state)
        tone = "red" if state == ItemState.FAILED else WORK_TONES.get(state, "secondary")
        missing = row.error_type == "NotFound"
        failure = (
            _("missing at the carrier") if missing else ": ".join(filter(None, (row.error_type, row.error_message)))
        )
        details = [failure, row.batch.function_name, *_took(row)]
        return self.made(
            row, row.batch.title, tone=tone, badges=(Badge(state.value, state.label, tone),),
            details=tuple(detail[:300] for detail in details if detail), by=row.batch.created_by_name,
            url=reverse("batch-detail", args=[row.batch_id]),
        )  # fmt: skip


def _slugs(model: type[Shipment] | type[CarrierMessage]) -> list[str]:
    return [capability.slug for capability in capabilities.working_on(model._meta.label_lower)]


def _took(row: BatchItem) -> list[str]:
    """How long it took: in the function where it says so, else the invocation it was part of."""
    if row.duration_ms is not None:
        return [duration_ms_text(row.duration_ms)]
    if row.chunk and row.chunk.duration_ms is not None:
        return [_("invocation of %s") % duration_ms_text(row.chunk.duration_ms)]
    return []


VERBS: Mapping[str, Any] = {
    "note.changed": gettext_lazy("changed a note"),
    "note.deleted": gettext_lazy("deleted a note"),
    "note.restored": gettext_lazy("took the deletion of a note back"),
    "shipment.changed": gettext_lazy("changed the delivery"),
    "shipment.added": gettext_lazy("added the delivery"),
    "shipment.status_set": gettext_lazy("set the status"),
    "shipment.event_added": gettext_lazy("added an event"),
}


class Rules(Source):
    """Rules that this delivery, or a document of it, set off."""

    kind, at = "rule", "at"

    def rows(self) -> QuerySet[AutomationRun]:
        return self.scope.shipment.automation_runs.select_related("automation")

    def entry(self, row: AutomationRun) -> Entry:
        url = reverse("batch-detail", args=[row.batch_id]) if row.batch_id else ""
        return self.made(row, _("Rule “%s”") % row.automation.name, details=(row.detail,), url=url)


class Actions(Source):
    """The audit trail of this delivery. A note that was written is its own entry; deeds on notes show no text."""

    kind, at = "action", "at"

    def rows(self) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(target=target_of(self.scope.shipment)).exclude(verb="note.written")

    def entry(self, row: AuditEntry) -> Entry:
        words = str(VERBS.get(row.verb, row.verb.replace(".", " ").replace("_", " ")))
        of_note = row.verb.startswith("note.")
        details = [] if of_note else [*_changes(row.before, row.after), row.summary, row.reason]
        if row.source != "page":
            details.append(_("by %s") % row.source)
        return self.made(row, words, by=row.actor_name, details=tuple(detail for detail in details if detail))


def _changes(before: Any, after: Any) -> list[str]:
    """`status: on_hold → delivered` for each value that differs."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    pairs = ((name, before.get(name), after.get(name)) for name in after)
    return [f"{name}: {_short(old)} → {_short(new)}" for name, old, new in pairs if old != new]


def _short(value: Any) -> str:
    text = "–" if value in (None, "") else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
