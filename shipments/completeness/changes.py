"""What people change: rules, waivers, and whether documents are fetched automatically. Each with its audit entry."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.forms import model_to_dict
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from shipments.choices import OPEN_EXPECTATIONS
from shipments.completeness.refresh import hold, refresh
from shipments.completeness.upkeep import rerun_from
from shipments.models import CompletenessSettings, DocumentRule, DocumentWaiver, ExpectedDocument
from shipments.models.completeness import SINGLETON

MOST_WAIVED = 50_000
_FACTS = (
    "document_type", "carrier", "origin", "destinations", "lane", "incoterm", "from_status", "due_hours", "due_after",
    "obtain", "active", "valid_from", "valid_until",
)  # fmt: skip
_WAIVE = """
INSERT INTO shipments_documentwaiver (shipment_id, document_type, reason, by_name, at, action)
SELECT shipment_id, document_type, %s, %s, now(), %s FROM shipments_expecteddocument WHERE id = ANY(%s)
ON CONFLICT DO NOTHING
"""


class WaiveError(RefusedError):
    """A waiver that makes no sense; nothing was changed."""

    code = "waive"
    status = 400


@transaction.atomic
def save_rule(rule: DocumentRule, *, actor: Any, source: str = "page") -> DocumentRule:
    """Write a rule that `rule` describes and judge anew what was ordered since it holds.

    One that is stored already is not changed: it ends on the day the new one begins, and holds on for what was ordered
    before. One that began that day or later never held by itself then, and is switched off.
    """
    old = DocumentRule.objects.select_for_update().get(pk=rule.pk) if rule.pk else None
    before = _facts(old) if old else None
    rule.pk, rule.replaces, rule.valid_until, rule.active = None, old, None, True
    rule._state.adding = True
    rule.changed_by, rule.changed = _name(actor), timezone.now()
    rule.save(force_insert=True)
    starts = [rule.valid_from]
    if old is not None:
        _end(old, rule.valid_from, rule.changed_by)
        starts.append(max(old.valid_from, rule.valid_from))
    record(actor=actor, verb="documents.rule_saved", target=rule, source=source, summary=str(rule), before=before,
           after=_facts(rule))  # fmt: skip
    rerun_from(min(starts))
    return rule


@transaction.atomic
def end_rule(rule: DocumentRule, *, actor: Any, source: str = "page", reason: str = "") -> None:
    """From today on the rule holds no more; what was ordered before keeps it."""
    old = DocumentRule.objects.select_for_update().get(pk=rule.pk)
    before, today = _facts(old), timezone.now().date()
    _end(old, today, _name(actor))
    record(actor=actor, verb="documents.rule_ended", target=old, source=source, summary=str(old), reason=reason,
           before=before, after=_facts(old))  # fmt: skip
    rerun_from(max(today, old.valid_from) if old.active else old.valid_from)


def _name(actor: Any) -> str:
    return actor.get_username() if actor is not None else "system"


def _end(old: DocumentRule, day: date, person: str) -> None:
    if day > old.valid_from:
        old.valid_until = min(day, old.valid_until or day)
    else:
        old.active = False
    old.changed_by, old.changed = person, timezone.now()
    old.save(update_fields=["valid_until", "active", "changed_by", "changed"])


def _facts(rule: DocumentRule) -> dict[str, Any]:
    facts = model_to_dict(rule, fields=_FACTS)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def waive(rows: QuerySet[ExpectedDocument], *, reason: str, actor: Any, source: str = "page") -> tuple[uuid.UUID, int]:
    """These deliveries may do without these documents. (the click, by which it can be taken back; how many).

    Raises:
        WaiveError: no reason, nothing that is missing, or more than 50,000 rows.
    """
    reason = reason.strip()
    if not reason:
        raise WaiveError(_("Say why these documents are not needed."), fields={"reason": [_("empty")]})
    with transaction.atomic():
        hold()
        chosen = rows.filter(state__in=OPEN_EXPECTATIONS).order_by().values_list("pk", "shipment_id")[: MOST_WAIVED + 1]
        found = list(chosen)
        if not found:
            raise WaiveError(_("Nothing that is missing was chosen, so there is nothing to waive."), code="nothing")
        if len(found) > MOST_WAIVED:
            raise WaiveError(_("More than %(most)s rows; narrow the filters.") % {"most": f"{MOST_WAIVED:,}"})
        action = uuid.uuid4()
        with connection.cursor() as cursor:
            cursor.execute(_WAIVE, [reason[:300], _name(actor), action, [pk for pk, _shipment in found]])
        record(actor=actor, verb="documents.waived", target=_target(action), source=source, reason=reason,
               summary=_("%(n)s missing documents waived") % {"n": len(found)},
               after={"rows": len(found), "first_deliveries": [pk for _row, pk in found[:50]]})  # fmt: skip
        refresh([shipment for _pk, shipment in found])
    return action, len(found)


def take_back_waivers(action: uuid.UUID, *, actor: Any, source: str = "page") -> int:
    """Undo one click on waive; how many waivers went. Zero when it was undone before."""
    with transaction.atomic():
        hold()
        waivers = DocumentWaiver.objects.filter(action=action)
        ids = list(waivers.values_list("shipment_id", flat=True))
        if ids:
            waivers.delete()
            record(actor=actor, verb="documents.waiver_taken_back", target=_target(action), source=source,
                   summary=_("%(n)s waivers taken back") % {"n": len(ids)})  # fmt: skip
            refresh(ids)
    return len(ids)


def take_back_one(shipment_id: int, document_type: str, *, actor: Any, source: str = "page") -> int:
    """Undo the waiver of one document of one delivery."""
    with transaction.atomic():
        hold()
        gone, _kinds = DocumentWaiver.objects.filter(shipment=shipment_id, document_type=document_type).delete()
        if gone:
            record(actor=actor, verb="documents.waiver_taken_back", target=f"shipments.shipment:{shipment_id}",
                   source=source, summary=document_type)  # fmt: skip
            refresh([shipment_id])
    return gone


def switch_automatic(on: bool, *, actor: Any, source: str = "page") -> bool:
    """Whether missing documents are fetched without being asked; False when it was so already."""
    with transaction.atomic():
        CompletenessSettings.objects.get_or_create(pk=SINGLETON)
        changed = CompletenessSettings.objects.filter(pk=SINGLETON, automatic=not on).update(automatic=on)
        if changed:
            words = _("Automatic tries switched on") if on else _("Automatic tries switched off")
            record(actor=actor, verb="documents.automatic", target=f"shipments.completenesssettings:{SINGLETON}",
                   source=source, summary=words, before={"automatic": not on}, after={"automatic": on})  # fmt: skip
    return bool(changed)


def patience_changed() -> None:
    """How often is tried became another: everything that may be waiting for a try is judged anew."""
    far_back = timezone.now().date() - timedelta(days=400)
    with transaction.atomic():
        rerun_from(far_back)


def waiver_of(rows: Sequence[ExpectedDocument]) -> dict[tuple[int, str], DocumentWaiver]:
    """The waivers of rows that are waived, in one query."""
    waived = [row.shipment_id for row in rows if row.state == "waived"]
    found = DocumentWaiver.objects.filter(shipment__in=waived) if waived else ()
    return {(row.shipment_id, row.document_type): row for row in found}


def _target(action: uuid.UUID) -> str:
    return f"shipments.documentwaiver:{action}"
