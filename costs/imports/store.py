"""Writing a bill: every period it tells of is replaced as a whole, in one transaction.

1. Which periods it tells of (`Scoping`).
2. What is known of them goes to `DisplacedCost`, so that the import can be undone.
3. The new lines go in by COPY, the rollups of the touched periods are made anew.
4. Where several kinds of bill tell of one account's month, one of them counts (`choose_counted`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from costs.choices import PRECEDENCE, BillSource
from costs.estimate import EXACT
from costs.imports.changes import Change, Sums, sums_before, what_changed
from costs.imports.rollups import rebuild
from costs.imports.scopes import Scope, Scoping
from costs.imports.shapes import Bill
from costs.models import BilledCost, BilledPeriod, CostImport, DisplacedCost

_LOCK = 7_305_201  # any number that no other advisory lock uses
CHARGE = (
    "day", "until", "account", "service", "service_code", "usage_type", "operation", "region", "resource",
    "charge_category", "line_type", "currency", "capability", "unit", "estimated", "quantity", "billed_cost",
    "effective_cost", "list_cost", "contracted_cost", "blended_cost", "lines",
)  # fmt: skip
_COPY = f"COPY {BilledCost._meta.db_table} (period_id, cost_import_id, {', '.join(CHARGE)}) FROM STDIN"
_TEXTS = CHARGE[2:14]
_WIDTHS = {field.name: field.max_length or 0 for field in BilledCost._meta.fields if field.name in _TEXTS}


def lock() -> None:
    """One bill at a time: two at once could both displace the same lines."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def write(bill: Bill, made_by: CostImport) -> list[Change]:
    """Put a bill in the place of what was known of its periods; returns what changed. `made_by` must be saved."""
    with transaction.atomic():
        lock()
        scoping = Scoping(bill)
        scopes = scoping.all()
        touched: set[int] = set()
        before: dict[Scope, Sums] = {}
        for scope in scopes:
            old = known_costs(bill, scope)
            before[scope] = sums_before(old)
            touched |= set(old.values_list("period_id", flat=True).distinct())
            displace(old, made_by)
        periods = {scope: _period(bill, scope, made_by) for scope in scopes}
        touched |= {period.pk for period in periods.values()}
        _copy(bill, scoping, periods, made_by)
        settle(touched)
        return what_changed(bill, scoping, before)


def known_costs(bill: Bill, scope: Scope) -> QuerySet[BilledCost]:
    """The lines that a bill's telling of a scope replaces."""
    costs = BilledCost.objects.filter(
        period__source=bill.source, period__detail=bill.detail, period__provider=scope.provider,
        period__billing_account=scope.billing_account, period__month=scope.month,
    )  # fmt: skip
    if scope.account:
        costs = costs.filter(account=scope.account)
    if bill.by_day and bill.asked:
        costs = costs.filter(day__gte=bill.asked[0], day__lt=bill.asked[1])
    return costs


def displace(costs: QuerySet[BilledCost], by: CostImport) -> int:
    """Move lines out of the figures, to where an undo finds them; returns how many."""
    wanted = costs.order_by().values("pk").query
    select, parameters = wanted.sql_with_params()
    columns = ", ".join(CHARGE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH gone AS (DELETE FROM {BilledCost._meta.db_table} WHERE id IN ({select}) RETURNING *) "  # noqa: S608
            f"INSERT INTO {DisplacedCost._meta.db_table} (source, detail, provider, billing_account, period_account, "
            f"month, cost_import_id, displaced_by_id, {columns}) "
            "SELECT p.source, p.detail, p.provider, p.billing_account, p.account, p.month, g.cost_import_id, %s, "
            f"{', '.join(f'g.{name}' for name in CHARGE)} "
            f"FROM gone g JOIN {BilledPeriod._meta.db_table} p ON p.id = g.period_id",
            [*parameters, by.pk],
        )
        return int(cursor.rowcount)


def _period(bill: Bill, scope: Scope, made_by: CostImport) -> BilledPeriod:
    period, _made = BilledPeriod.objects.update_or_create(
        source=bill.source, detail=bill.detail, provider=scope.provider, billing_account=scope.billing_account,
        account=scope.account, month=scope.month, defaults={"cost_import": made_by, "changed": timezone.now()},
    )  # fmt: skip
    return period


def _copy(bill: Bill, scoping: Scoping, periods: Mapping[Scope, BilledPeriod], made_by: CostImport) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for key, sums, lines in bill:
            texts = [fitting(getattr(key, name), _WIDTHS[name]) for name in _TEXTS]
            period = periods[scoping.of(key)]
            copy.write_row((period.pk, made_by.pk, key.day, key.until, *texts, key.estimated, *map(_tidy, sums), lines))


def _tidy(value: Decimal | None) -> Decimal | None:
    """Without the zeros that the reader's fixed number of decimals put behind it."""
    return None if value is None else EXACT.normalize(value)


def fitting(text: str, width: int) -> str:
    """Text that the column can hold."""
    return text.replace("\x00", "")[:width]


def settle(periods: Iterable[int]) -> None:
    """After lines came or went: rollups anew, empty periods gone, and who counts."""
    ids = set(periods)
    rebuild(ids)
    changed = list(BilledPeriod.objects.filter(pk__in=ids))
    empty = [period for period in changed if not period.costs.exists()]
    BilledPeriod.objects.filter(pk__in=[period.pk for period in empty]).delete()
    for period in changed:
        if period not in empty:
            period.estimated = period.costs.filter(estimated=True).exists()
            period.save(update_fields=["estimated"])
    for provider, month in {(period.provider, period.month) for period in changed}:
        choose_counted(provider, month)


def choose_counted(provider: str, month: date) -> None:
    """Let one kind of bill count for each billing account's month, so that no charge is counted twice.

    A whole bill wins over one member account's, then the finer source, then the one that has counted so far. An answer of
    Cost Explorer that names no account counts only where nothing else tells of the month.
    """
    accounts: defaultdict[str, list[BilledPeriod]] = defaultdict(list)
    for period in BilledPeriod.objects.filter(provider=provider, month=month).order_by("pk"):
        accounts[period.billing_account].append(period)
    for account, rivals in accounts.items():
        sources: defaultdict[tuple[str, str], list[BilledPeriod]] = defaultdict(list)
        for period in rivals:
            sources[period.source, period.detail].append(period)
        nameless = not account and len(accounts) > 1 and all(p.source == BillSource.COST_EXPLORER for p in rivals)
        chosen = None if nameless else min(sources, key=lambda source: _rank(source, sources[source]))
        for period in rivals:
            counted = (period.source, period.detail) == chosen
            if period.counted != counted:
                BilledPeriod.objects.filter(pk=period.pk).update(counted=counted)


def _rank(source: tuple[str, str], periods: list[BilledPeriod]) -> tuple[bool, int, int, bool, int]:
    """The smallest counts."""
    part = all(period.account for period in periods)
    fineness = -len(source[1].split(",")) if source[0] == BillSource.COST_EXPLORER else 0
    fresh = not any(period.counted for period in periods)
    return part, PRECEDENCE[BillSource(source[0])], fineness, fresh, min(period.pk for period in periods)
