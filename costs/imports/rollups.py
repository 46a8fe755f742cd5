"""The sums by day, by month and by resource that pages read, made anew for the periods that changed."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from costs.models import BilledCost, BilledDay, BilledMonth, BilledResourceMonth

_MONEY = ("billed_cost", "effective_cost", "list_cost", "contracted_cost", "blended_cost")
_SAME = (
    "account", "service", "service_code", "usage_type", "region", "charge_category", "line_type", "currency",
    "capability", "unit", "estimated",
)  # fmt: skip
_RESOURCE = (
    "account", "resource", "service", "service_code", "region", "charge_category", "currency", "capability", "estimated",
)  # fmt: skip
_MONTH = "date_trunc('month', day)::date"


def rebuild(periods: Collection[int]) -> None:
    """Bring the rollups of these periods up to date; call it in the transaction that changed their costs."""
    ids = list(periods)
    for model in (BilledDay, BilledMonth, BilledResourceMonth):
        model.objects.filter(period__in=ids).delete()
    with connection.cursor() as cursor:
        cursor.execute(_sql(BilledDay, "day", "day", _SAME), [ids])
        cursor.execute(_sql(BilledMonth, "month", _MONTH, _SAME), [ids])
        cursor.execute(_sql(BilledResourceMonth, "month", _MONTH, _RESOURCE, "AND resource <> ''"), [ids])


def _sql(model: type, time: str, expression: str, same: tuple[str, ...], more: str = "") -> str:
    table, costs = model._meta.db_table, BilledCost._meta.db_table  # type: ignore[attr-defined]  # a model class
    columns = ", ".join(same)
    quantity = "NULL" if "unit" not in same else "sum(quantity)"
    sums = ", ".join(f"sum({name})" for name in _MONEY)
    return (
        f"INSERT INTO {table} (period_id, {time}, {columns}, quantity, {', '.join(_MONEY)}, lines) "  # noqa: S608
        f"SELECT period_id, {expression}, {columns}, {quantity}, {sums}, sum(lines) FROM {costs} "
        f"WHERE period_id = ANY(%s) {more} GROUP BY period_id, {expression}, {columns}"
    )
