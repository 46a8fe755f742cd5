"""Saving and ending rules: one transaction each, with its audit entry."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from core.audit import record
from shipments.models import Automation


@transaction.atomic
def save_automation(rule: Automation, *, actor: Any) -> Automation:
    """Keep a new or changed rule. It looks at what happens from now on, whatever it was before."""
    stored = Automation.objects.select_for_update().filter(pk=rule.pk).first()
    rule.since = rule.looked = rule.changed = timezone.now()
    rule.changed_by, rule.problem = actor.get_username(), ""
    rule.save()
    record(
        actor=actor, verb="automation.changed" if stored else "automation.made", target=rule, summary=rule.name,
        before=_words(stored) if stored else None, after=_words(rule),
    )  # fmt: skip
    return rule


@transaction.atomic
def end_automation(rule: Automation, *, actor: Any, active: bool) -> None:
    """Switch a rule off or on again; what happened while it was off is left alone."""
    now = timezone.now()
    if Automation.objects.filter(pk=rule.pk, active=not active).update(active=active, since=now, looked=now):
        verb = "automation.on" if active else "automation.off"
        record(actor=actor, verb=verb, target=rule, summary=rule.name)


def _words(rule: Automation) -> dict[str, Any]:
    return model_to_dict(rule, exclude=["id", "since", "looked", "problem", "changed", "changed_by"])
