"""Fetching what is missing without being asked: one batch for each carrier, so that a slow one delays only itself.

Rows are claimed by lock and looked up again in the batches before a batch starts, all in one transaction: of two workers
one finds nothing, and what a person fetches right now is left to them. The next try of a row follows from its tries
(`expect`): 1 h, 2 h, 4 h … a day, then it is a person's turn.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import RefusedError
from services_registry.batches import start_batch
from services_registry.choices import Priority
from services_registry.models import Batch
from shipments.choices import Obtain
from shipments.completeness.kinds import work_of
from shipments.completeness.refresh import hold, refresh
from shipments.completeness.work import startable
from shipments.models import CompletenessSettings, ExpectedDocument

logger = logging.getLogger(__name__)

MOST_IN_BATCH = 2_000
"""Rows of one carrier in one go; what remains is due again a minute later."""


def fetch_due(now: datetime | None = None) -> list[Batch]:
    """Start the batches that are due; none while automatic tries are switched off."""
    now = now or timezone.now()
    if not CompletenessSettings.current().automatic:
        return []
    started = []
    due = _due(now).values_list("carrier_id", "document_type").order_by("carrier_id").distinct()
    for carrier_id, document_type in due:
        batch = _fetch(carrier_id, document_type, now)
        if batch is not None:
            started.append(batch)
    return started


def _due(now: datetime) -> QuerySet[ExpectedDocument]:
    return startable(ExpectedDocument.objects.filter(next_try__lte=now, obtain=Obtain.FETCH))


@transaction.atomic
def _fetch(carrier_id: int, document_type: str, now: datetime) -> Batch | None:
    work = work_of(Obtain.FETCH, document_type)
    if work is None:
        return None
    hold()
    rows = _due(now).filter(carrier_id=carrier_id, document_type=document_type).select_related("carrier")
    chosen = list(rows.order_by("next_try", "id").select_for_update(of=("self",), skip_locked=True)[:MOST_IN_BATCH])
    if not chosen:
        return None
    words = {"carrier": chosen[0].carrier.name, "what": chosen[0].get_document_type_display(), "n": len(chosen)}
    ids = [row.shipment_id for row in chosen]
    capability, context = work
    try:
        with transaction.atomic():
            batch = start_batch(
                capability=capability,
                selection={"keys": [str(pk) for pk in ids]},
                context=context,
                title=_("Automatic: fetch %(what)s, %(n)s deliveries of %(carrier)s") % words,
                priority=Priority.LOW,
                actor=None,
                source="schedule",
                reason=_("missing documents whose next try was due"),
            )
    except RefusedError as refusal:
        logger.warning("automatic fetch not started carrier=%s why=%s", carrier_id, refusal.message)
        return None
    refresh(ids, now)
    return batch
