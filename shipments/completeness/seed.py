"""The rules a new installation begins with; administrators change them. Ordered before the first start: not judged."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from shipments.choices import DocumentType, DueAfter, Lane, Obtain, Status
from shipments.completeness.upkeep import rerun_from
from shipments.models import DocumentRule

SAMPLE_DAYS = 14
"""So far back the rules hold where there is sample data: enough to tell something, not so much that all is missing."""
_DEFAULTS = (
    # document, how it is got, expected from, due within hours, after it was, on lane
    (DocumentType.LABEL, Obtain.MAKE, Status.PENDING, 0, DueAfter.PICKED_UP, Lane.ANY),
    (DocumentType.DELIVERY_NOTE, Obtain.MAKE, Status.PENDING, 0, DueAfter.PICKED_UP, Lane.ANY),
    (DocumentType.PROOF_OF_DELIVERY, Obtain.FETCH, Status.DELIVERED, 48, DueAfter.DELIVERED, Lane.ANY),
    (DocumentType.COMMERCIAL_INVOICE, Obtain.MAKE, Status.PENDING, 0, DueAfter.PICKED_UP, Lane.LEAVING_EU),
    (DocumentType.CUSTOMS_DECLARATION, Obtain.ASK, Status.PENDING, 0, DueAfter.PICKED_UP, Lane.LEAVING_EU),
    (DocumentType.CMR_WAYBILL, Obtain.MAKE, Status.PENDING, 0, DueAfter.PICKED_UP, Lane.BY_ROAD),
)


@transaction.atomic
def seed_rules(valid_from: date) -> int:
    """Write the default rules once; how many. Where there is any rule, even one that ended, nothing is done."""
    if DocumentRule.objects.exists():
        return 0
    rules = [
        DocumentRule(document_type=document, obtain=obtain, from_status=status, due_hours=hours, due_after=after,
                     lane=lane, valid_from=valid_from, changed_by="system")
        for document, obtain, status, hours, after, lane in _DEFAULTS
    ]  # fmt: skip
    DocumentRule.objects.bulk_create(rules)
    rerun_from(valid_from)
    return len(rules)
