"""The sweep that brings back what a vanished worker or a crash has left lying; safe at any time, from anywhere."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q

from services_registry.batches import checking, settle
from services_registry.batches.claims import LAPSED
from services_registry.batches.decide import MAX_ATTEMPTS
from services_registry.choices import OPEN_BATCHES
from services_registry.models import Batch

logger = logging.getLogger(__name__)

_LAPSED = f"""
UPDATE services_registry_chunk c
   SET state = CASE WHEN NOT b.repeatable OR c.attempt >= %s THEN 'checking' ELSE 'queued' END,
       worker = '', lease_until = NULL, not_before = NULL
  FROM services_registry_batch b
 WHERE b.id = c.batch_id AND c.state IN ('running', 'checking') AND c.state = 'running' AND {LAPSED}
RETURNING c.id
"""  # noqa: S608  # constants only


def recover() -> int:
    """Bring back chunks whose lease ran out, ask after those whose outcome is unknown, finish what is finished.

    Returns how many chunks can be worked on again, or are settled now.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LAPSED, [MAX_ATTEMPTS])
        lapsed = len(cursor.fetchall())
    asked = checking.check_due()
    for batch_id in _left_over():
        settle.cancel_queued(batch_id)
    if lapsed or asked:
        logger.warning("chunks recovered lapsed=%s checked=%s", lapsed, asked)
    return lapsed + asked


def _left_over() -> list[UUID]:
    """Open batches that a crash kept from being cancelled or finished: nothing of them is to be begun any more."""
    over = Q(total__lte=F("succeeded") + F("failed") + F("cancelled"))
    rows = Batch.objects.filter(Q(cancel_requested=True) | over, state__in=OPEN_BATCHES)
    return list(rows.values_list("pk", flat=True))
