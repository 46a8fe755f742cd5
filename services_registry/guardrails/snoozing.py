"""Putting a finding off, and taking that back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from core.notifications import withdraw
from services_registry.choices import FindingState
from services_registry.guardrails.telling import name_of
from services_registry.models import Finding

LONGEST = timedelta(days=365)


class FindingError(RefusedError):
    """The finding is not in a state for this, or what was asked makes no sense."""

    code = "finding"


@transaction.atomic
def snooze(finding: Finding, *, until: datetime, reason: str, actor: Any, source: str = "page") -> Finding:
    """Say nothing of it until then, unless it gets markedly worse. Snoozing again changes reason and time.

    Raises:
        FindingError: it is closed, there is no reason, or the time is past or beyond a year.
    """
    reason, now = reason.strip(), timezone.now()
    row = Finding.objects.select_for_update(of=("self",)).select_related("function").get(pk=finding.pk)
    if row.state == FindingState.CLOSED:
        raise FindingError(_("This finding is closed; there is nothing to put off."), code="finding_closed")
    if not reason:
        raise FindingError(_("Say why, for whoever looks next."), code="reason", fields={"reason": [_("required")]})
    if not now < until <= now + LONGEST:
        words = _("Choose a time within the next year.")
        raise FindingError(words, code="until", fields={"until": [words]})
    before = {"state": row.state, "until": row.snoozed_until.isoformat() if row.snoozed_until else None}
    row.state, row.snoozed_until, row.snooze_reason = FindingState.SNOOZED, until, reason[:300]
    row.snoozed_by_name, row.snoozed_measure = name_of(actor), row.measure
    row.save()
    record(
        actor=actor, verb="finding.snoozed", target=row, source=source, summary=str(row), reason=reason, before=before,
        after={"state": row.state, "until": until.isoformat(), "measure": row.measure},
    )  # fmt: skip
    withdraw(f"finding:{row.pk}:{row.opened.isoformat()}")
    return row


@transaction.atomic
def unsnooze(finding: Finding, *, actor: Any, source: str = "page") -> Finding:
    """Open it again now. Nothing happens to one that is not snoozed."""
    row = Finding.objects.select_for_update(of=("self",)).select_related("function").get(pk=finding.pk)
    if row.state != FindingState.SNOOZED:
        return row
    before = {"state": row.state, "until": row.snoozed_until.isoformat() if row.snoozed_until else None}
    row.state, row.snoozed_until, row.snoozed_measure = FindingState.OPEN, None, None
    row.snooze_reason = row.snoozed_by_name = ""
    row.save()
    after = {"state": row.state}
    record(
        actor=actor, verb="finding.unsnoozed", target=row, source=source, summary=str(row), before=before, after=after
    )
    return row
