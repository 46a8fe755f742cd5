"""Taking an import back: what it replaced counts again. Refused where that is no longer known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from costs.choices import BillState
from costs.imports import store
from costs.models import BilledCost, BilledPeriod, CostImport, DisplacedCost

_KEY = "source, detail, provider, billing_account, period_account, month"


def why_not(made: CostImport) -> str:
    """Why an import cannot be taken back, in words; empty when it can."""
    if made.state == BillState.REPLACED:
        return _("A later file replaced it, so nothing of it is in the figures.")
    if made.state != BillState.DONE:
        return _("It is not in the figures.")
    later = CostImport.objects.filter(displacing__cost_import=made).order_by("-created").first()
    if later is not None or made.costs.count() != made.stored:
        name = later.name if later else _("a later file")
        return _("Part of it was replaced by %s. Take that back first.") % name
    replaced = any(change["before"] is not None for change in made.changes)
    if replaced and not made.displacing.exists():
        return _("What it replaced is kept for %s days only and is gone. Import the former file again instead.") % (
            settings.BILL_UNDO_DAYS
        )
    return ""


@transaction.atomic
def undo(made: CostImport, *, actor: Any, source: str = "page", reason: str = "") -> None:
    """Take an import out of the figures and put back what it replaced, to the last digit.

    Raises:
        RefusedError: it cannot be taken back, and the message says why.
    """
    store.lock()
    made = CostImport.objects.select_for_update().get(pk=made.pk)
    if why := why_not(made):
        raise RefusedError(why, code="cannot_undo")
    touched = set(made.costs.values_list("period_id", flat=True).distinct())
    made.costs.all().delete()
    restored = list(CostImport.objects.filter(displaced__displaced_by=made).distinct())
    touched |= _put_back(made)
    _hand_over(touched, made)
    store.settle(touched)
    CostImport.objects.filter(pk__in=[old.pk for old in restored]).update(state=BillState.DONE)
    made.state, made.finished = BillState.UNDONE, timezone.now()
    made.save(update_fields=["state", "finished"])
    record(
        actor=actor, verb="bill.undone", target=made, source=source, summary=made.name, reason=reason,
        before=made.totals, after={"restored": [old.name for old in restored]},
    )  # fmt: skip


def _put_back(made: CostImport) -> set[int]:
    """Displaced lines into their periods; returns the periods."""
    periods: dict[tuple[Any, ...], int] = {}
    for row in made.displacing.order_by().values_list(*_KEY.split(", "), "cost_import").distinct():
        period, _new = BilledPeriod.objects.get_or_create(
            source=row[0], detail=row[1], provider=row[2], billing_account=row[3], account=row[4], month=row[5],
            defaults={"cost_import_id": row[6]},
        )  # fmt: skip
        periods[row[:6]] = period.pk
    columns = ", ".join(store.CHARGE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH back AS (DELETE FROM {DisplacedCost._meta.db_table} WHERE displaced_by_id = %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {BilledCost._meta.db_table} (period_id, cost_import_id, {columns}) "
            f"SELECT p.id, b.cost_import_id, {', '.join(f'b.{name}' for name in store.CHARGE)} FROM back b "
            f"JOIN {BilledPeriod._meta.db_table} p ON (p.source, p.detail, p.provider, p.billing_account, p.account, "
            f"p.month) = ({', '.join(f'b.{name}' for name in _KEY.split(', '))})",
            [made.pk],
        )
    return set(periods.values())


def _hand_over(periods: set[int], made: CostImport) -> None:
    """Periods that named the import as their latest name one that still has lines in them; empty ones go in `settle`."""
    for period in BilledPeriod.objects.filter(pk__in=periods, cost_import=made):
        latest = CostImport.objects.filter(costs__period=period).order_by("-created").first()
        if latest is not None:
            BilledPeriod.objects.filter(pk=period.pk).update(cost_import=latest, changed=timezone.now())


def forget_displaced() -> int:
    """Drop what was replaced more than `BILL_UNDO_DAYS` ago; how many lines."""
    before = timezone.now() - timedelta(days=settings.BILL_UNDO_DAYS)
    return DisplacedCost.objects.filter(displaced_by__finished__lt=before).delete()[0]


def purge_files() -> int:
    """Remove the files of bills that came in more than `IMPORT_FILE_DAYS` ago; their rows and sums stay."""
    before = timezone.now() - timedelta(days=settings.IMPORT_FILE_DAYS)
    old = CostImport.objects.filter(created__lt=before).exclude(file="")
    removed = 0
    for made in old.exclude(state__in=[BillState.LOOKING, BillState.QUEUED, BillState.RUNNING])[:500]:
        default_storage.delete(str(made.file.name))
        removed += CostImport.objects.filter(pk=made.pk).update(file="")
    return removed
