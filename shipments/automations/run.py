"""Looking what happened and doing what the rules say: every minute, each happening once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from core.errors import RefusedError
from shipments.automations.deeds import do
from shipments.automations.happenings import MOST_AT_ONCE, Happening, happenings
from shipments.models import Automation, AutomationRun

SETTLE = timedelta(seconds=10)
"""A row may be committed a moment after the time it carries; so much stays for the next look, and is looked at again."""
OVERLAP = timedelta(minutes=2)
log = logging.getLogger(__name__)


def run_automations(now: datetime | None = None) -> int:
    """Let every active rule look at what happened since its last look; how many happenings set one off.

    A rule that fails says why on its row and hinders no other; it looks at the same again next time.
    """
    now = now or timezone.now()
    fired = 0
    for pk in Automation.objects.filter(active=True).order_by("pk").values_list("pk", flat=True):
        try:
            fired += _look(pk, now - SETTLE)
        except RefusedError as refusal:
            log.warning("rule failed rule=%s why=%s", pk, refusal.message)
            Automation.objects.filter(pk=pk).update(problem=refusal.message[:300])
    return fired


@transaction.atomic
def _look(pk: int, end: datetime) -> int:
    """One rule; its row is locked, so that two workers do not look at once."""
    rule = Automation.objects.select_for_update(skip_locked=True).filter(pk=pk, active=True).first()
    if rule is None or end <= rule.looked:
        return 0
    start = max(rule.since, rule.looked - OVERLAP)
    found = happenings(rule, start, end)
    new = _not_yet(rule, found)
    if new:
        batch, words = do(rule, new)
        AutomationRun.objects.bulk_create([
            AutomationRun(
                automation=rule, happening=one.key, shipment_id=one.shipment_id, document_id=one.document_id,
                batch=batch, detail=words[:300],
            )
            for one in new
        ])  # fmt: skip
    # Where more happened than one look takes, the next one begins at the last of these.
    rule.looked = found[-1].at if len(found) == MOST_AT_ONCE and found[-1].at > rule.looked else end
    rule.problem = ""
    rule.save(update_fields=["looked", "problem"])
    return len(new)


def _not_yet(rule: Automation, found: list[Happening]) -> list[Happening]:
    keys = [one.key for one in found]
    known = set(AutomationRun.objects.filter(automation=rule, happening__in=keys).values_list("happening", flat=True))
    return [one for one in found if one.key not in known]
