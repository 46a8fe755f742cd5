"""How long documents are kept: rules of administrators, the bin, and removing for good.

A rule deletes documents of its type so many months after their delivery was delivered. It never touches what is held, in
quarantine, or without a delivered delivery. Deleted by a person, a document lies in the bin for 30 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.audit import record
from core.bounded import Count, bounded_count
from shipments.choices import DocumentState
from shipments.documents.previews import forget
from shipments.documents.store import hold_bytes, settle_versions
from shipments.models import Document, RetentionRule

AT_ONCE = 200
IN_BIN = timedelta(days=30)


def overdue(rule: RetentionRule, now: datetime | None = None) -> QuerySet[Document]:
    """What this rule deletes now, whether it is active or not."""
    return Document.objects.filter(
        type=rule.type, state=DocumentState.STORED, held=False,
        shipment__delivered__lt=_months_before(now or timezone.now(), rule.months),
    )  # fmt: skip


def _months_before(moment: datetime, months: int) -> datetime:
    """The same day of an earlier month; the 31st becomes the last day of a shorter one."""
    years, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = moment.day
    while True:
        try:
            return moment.replace(year=max(years, 1), month=month + 1, day=day)
        except ValueError:
            day -= 1


def would_delete(rule: RetentionRule) -> Count:
    """For the page of rules: counted up to 10,000, in a bounded time."""
    return bounded_count(overdue(rule))


def apply_rules(*, dry_run: bool = False) -> dict[str, int]:
    """Delete for good what active rules say, one audit entry a rule; how many of each type."""
    done = {}
    for rule in RetentionRule.objects.filter(active=True):
        rows = overdue(rule)
        done[rule.type] = rows.count() if dry_run else sum(remove(rows_now) for rows_now in _portions(rows))
        if done[rule.type] and not dry_run:
            record(actor=None, verb="documents.retention", target=rule, source="schedule",
                   summary=f"{done[rule.type]} documents deleted: {rule}", after={"deleted": done[rule.type]})  # fmt: skip
    return done


def empty_bin(now: datetime | None = None) -> int:
    """Remove what people deleted more than 30 days ago; how many."""
    before = (now or timezone.now()) - IN_BIN
    rows = Document.objects.filter(state=DocumentState.DELETED, state_changed__lt=before, held=False)
    return sum(remove(portion) for portion in _portions(rows))


def _portions(rows: QuerySet[Document]) -> Iterator[list[Document]]:
    last = 0
    while portion := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        yield portion
        last = portion[-1].pk


def remove(documents: Iterable[Document]) -> int:
    """Remove rows for good, and their bytes where no other document has them; how many rows.

    A transaction each, bytes last: a crash between leaves a row of a document that was to go, and the next run ends it.
    """
    count = 0
    for document in documents:
        with transaction.atomic():
            hold_bytes(document.sha256, alone=True)
            row = Document.objects.select_for_update(of=("self",)).filter(pk=document.pk, held=False).first()
            if row is None or row.state != document.state:
                continue  # held, restored or removed meanwhile
            name, kin = str(row.file.name), _older(row)
            row.delete()
            if kin is not None:
                settle_versions(kin)
            if not Document.objects.filter(file=name).exists():
                default_storage.delete(name)
                forget(row.sha256)
        count += 1
    return count


def _older(row: Document) -> Document | None:
    """Another version of the same, which counts again once this one is gone."""
    if row.shipment_id is None:
        return None
    kin = Document.objects.filter(shipment=row.shipment_id, type=row.type, name=row.name)
    return kin.exclude(pk=row.pk).first()
