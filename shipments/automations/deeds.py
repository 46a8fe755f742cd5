"""What rules do. Each is given the happenings of one look, so that a thousand of them are one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.translation import gettext as _

from core.notifications import Kind, notify, register_kind
from services_registry.batches import start_batch, start_run
from services_registry.models import Batch
from shipments.automations.happenings import Happening
from shipments.choices import Action, DocumentType
from shipments.completeness.kinds import FETCH, RENDER
from shipments.documents.changes import attach
from shipments.models import Automation, Document, Shipment

register_kind("automation", Kind(_("rule"), "bolt", explained=_("a rule for deliveries or documents names you")))
Done = tuple[Batch | None, str]
"""The batch that was started, if any, and what was done in words."""


def do(rule: Automation, found: Sequence[Happening]) -> Done:
    """Do what the rule says for all of them.

    Raises:
        RefusedError: it could not be started; the message says why.
    """
    return _DEEDS[Action(rule.action)](rule, found)


def _tell(rule: Automation, found: Sequence[Happening]) -> Done:
    people = list(get_user_model().objects.filter(username__in=rule.people, is_active=True))
    numbers = Shipment.objects.in_bulk([one.shipment_id for one in found if one.shipment_id])
    for one in found:
        shipment = numbers.get(one.shipment_id or 0)
        what = shipment.tracking_number if shipment else one.label
        url = reverse("shipment-detail", args=[shipment.pk]) if shipment else reverse("document-list")
        notify(people, "automation", f"{rule.words or rule.name}: {what}", url, dedupe_key=f"rule:{rule.pk}:{one.key}")
    told = _("told %s") % ", ".join(person.get_username() for person in people)
    return None, f"{told}: {rule.words}" if rule.words else told


def _attach(rule: Automation, found: Sequence[Happening]) -> Done:
    """To the delivery that speaks for itself: where several are named, a person decides at the review."""
    documents = Document.objects.in_bulk([one.document_id for one in found if one.document_id])
    attached = 0
    for document in documents.values():
        named = list(document.candidates.select_related("shipment")[:2])
        if len(named) == 1 and document.shipment_id is None:
            reason = _("the rule “%s” says so") % rule.name
            attach(document, named[0].shipment, actor=None, source="schedule", reason=reason)
            attached += 1
    return None, _("%(n)s of %(all)s attached") % {"n": attached, "all": len(documents)}


def _fetch(rule: Automation, found: Sequence[Happening]) -> Done:
    return _batch(rule, found, FETCH, {})


def _make(rule: Automation, found: Sequence[Happening]) -> Done:
    return _batch(rule, found, RENDER, {"type": rule.make_type or DocumentType.DELIVERY_NOTE, "language": "recipient"})


def _batch(rule: Automation, found: Sequence[Happening], capability: str, context: dict[str, str]) -> Done:
    keys = [str(pk) for pk in dict.fromkeys(one.shipment_id for one in found if one.shipment_id)]
    if not keys:
        return None, _("nothing done: it belongs to no delivery yet")
    batch = start_batch(
        capability=capability, selection={"keys": keys}, context=context, actor=None, source="schedule",
        title=_("Rule “%(rule)s”: %(n)s deliveries") % {"rule": rule.name, "n": len(keys)},
        reason=_("the rule “%s” says so") % rule.name, idempotency_key=_key(rule, found),
    )  # fmt: skip
    return batch, batch.title


def _run(rule: Automation, found: Sequence[Happening]) -> Done:
    """One invocation for all: the function gets the list."""
    payload = {
        "rule": rule.name, "trigger": rule.trigger,
        "happenings": [
            {"key": one.key, "at": one.at.isoformat(), "shipment": one.shipment_id, "document": one.document_id}
            for one in found
        ],
    }  # fmt: skip
    batch = start_run(
        function_name=rule.function_name, payload=payload, actor=None, source="schedule",
        title=_("Rule “%(rule)s”: %(function)s") % {"rule": rule.name, "function": rule.function_name},
        reason=_("the rule “%s” says so") % rule.name, idempotency_key=_key(rule, found),
    )  # fmt: skip
    return batch, batch.title


def _key(rule: Automation, found: Sequence[Happening]) -> str:
    return f"rule:{rule.pk}:{found[0].key}:{found[-1].key}"[:100]


_DEEDS: dict[Action, Callable[[Automation, Sequence[Happening]], Done]] = {
    Action.NOTIFY: _tell, Action.ATTACH: _attach, Action.FETCH: _fetch, Action.MAKE: _make, Action.RUN: _run,
}  # fmt: skip
