"""Taking a bill in, and taking it back: what people, the API, the command and the schedule do with bills."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from costs.choices import BillState
from costs.imports import store
from costs.imports.reading import read_bill
from costs.imports.shapes import Bill, plain
from costs.imports.sources import Opened
from costs.models import CostImport


def new_import(file: Opened, *, actor: Any = None, door: str) -> CostImport:
    """A row for a file that came in; not saved yet."""
    person = actor if actor is not None and getattr(actor, "pk", None) else None
    return CostImport(
        name=file.name[:300], sha256=file.sha256, bytes=file.size, door=door, created_by=person,
        created_by_name=person.get_username() if person else "system",
    )  # fmt: skip


def known_whole(file: Opened) -> CostImport | None:
    """The import of the very same bytes whose lines all count still: taking it again would change nothing."""
    for known in CostImport.objects.filter(sha256=file.sha256, state=BillState.DONE).order_by("-created")[:5]:
        if known.costs.count() == known.stored:
            return known
    return None


def take_file(file: Opened, *, account: str = "", actor: Any = None, door: str = "command") -> CostImport:
    """Read a bill and put it into the figures, whole or not at all. The same bytes again change nothing.

    The bytes themselves are not kept: who has them on disk or in S3 can give them again.

    Raises:
        UnreadableBillError: it cannot be read; nothing is changed.
    """
    known = known_whole(file)
    if known is not None:
        return known
    bill = read_bill(file, account=account)
    made = new_import(file, actor=actor, door=door)
    made.account = account[:120]
    return take(bill, made, actor=actor)


@transaction.atomic
def take(bill: Bill, made: CostImport, *, actor: Any = None) -> CostImport:
    """Write a bill that was read; one transaction with its row and the audit entry."""
    made.started = made.started or timezone.now()
    describe(made, bill)
    made.stored, made.state = len(bill.lines), BillState.RUNNING
    made.save()
    changes = store.write(bill, made)
    made.changes = [change.as_json() for change in changes]
    made.state, made.finished, made.problem = BillState.DONE, timezone.now(), ""
    made.save()
    mark_replaced(made)
    record(
        actor=actor, verb="bill.imported", target=made, source=made.door, summary=made.name,
        after={"rows": made.rows, "totals": made.totals, "sha256": made.sha256},
    )  # fmt: skip
    return made


def preview(bill: Bill, made: CostImport) -> None:
    """What taking a bill would change, worked out by doing it and rolling back; only the row is kept, waiting."""
    describe(made, bill)
    made.stored = len(bill.lines)
    with transaction.atomic():
        made.changes = [change.as_json() for change in store.write(bill, made)]
        transaction.set_rollback(True)
    made.state, made.started = BillState.WAITING, None
    made.save()


def describe(made: CostImport, bill: Bill) -> None:
    """What the row says of its file."""
    made.format, made.source, made.rows = bill.format, bill.source, bill.rows
    if period := bill.period:
        made.period_start, made.period_end = period
    made.totals = {currency: _texts(sums) for currency, sums in bill.totals().items()}
    made.by_service = {currency: _texts(sums) for currency, sums in sorted(bill.by("service").items())}
    made.notes = bill.notes


def _texts(sums: dict[str, Decimal]) -> dict[str, str]:
    return {name: plain(value) for name, value in sorted(sums.items())}


def mark_replaced(by: CostImport) -> None:
    """Imports of which nothing counts any more say so."""
    earlier = CostImport.objects.filter(state=BillState.DONE, displaced__displaced_by=by).exclude(pk=by.pk).distinct()
    for old in earlier:
        if not old.costs.exists():
            CostImport.objects.filter(pk=old.pk).update(state=BillState.REPLACED)


def summary_of(made: CostImport, *, changed: bool) -> dict[str, Any]:
    """What the command and the API say of an import: exact decimals as text."""
    services: dict[str, str] = {}
    for currency, sums in made.by_service.items():
        alone = len(made.by_service) == 1
        services |= {name if alone else f"{name} ({currency})": value for name, value in sums.items()}
    return {
        "import": str(made.pk), "file": made.name, "format": made.format, "rows": made.rows,
        "period_start": _day(made.period_start), "period_end": _day(made.period_end),
        "totals": made.totals, "by_service": services, "changed": changed, "changes": made.changes,
        "notes": made.notes or ([] if changed else [_("These bytes are in the figures already; nothing changed.")]),
    }  # fmt: skip


def _day(value: Any) -> str | None:
    return value.isoformat() if value else None
