"""Orders that an index serves; anything else would sort millions of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shipments.filters import DELIVERED_ONLY, ShipmentFilter
from shipments.listing import attention
from shipments.models import Shipment

DEFAULT = "-created"
ORDERS: dict[str, tuple[str, ...]] = {
    "-created": ("-created", "-id"),
    "created": ("created", "id"),
    "-updated": ("-updated", "-id"),
    "updated": ("updated", "id"),
    "tracking_number": ("tracking_number", "id"),
    "-tracking_number": ("-tracking_number", "-id"),
    "-delivered": ("-delivered", "-id"),
    "delivered": ("delivered", "id"),
}
ORDERED_BY = sorted({name.lstrip("-") for order in ORDERS.values() for name in order})
"""Every column that some order needs."""
_WITHIN_A_CARRIER = "tracking_number"
OPEN_ONLY = ("exception", "late_days", "late_days_under", "due", "silent_days", "silent_days_under")


class UnservedOrderError(ValueError):
    """There is no such order; the message says what there is, for people."""


def order_of(sort: str, *, one_carrier: bool, delivered: bool = False) -> tuple[str, ...]:
    """The columns of `?sort=`.

    Raises:
        UnservedOrderError: no index has that order. Tracking numbers are in order only within a carrier, times of delivery
            only where a filter asks for them (`delivered`).
    """
    sort = sort or DEFAULT
    if sort not in ORDERS:
        raise UnservedOrderError(_("There is no order “%(sort)s”. Possible: %(known)s.") % {
            "sort": sort[:40], "known": ", ".join(ORDERS),
        })  # fmt: skip
    if sort.lstrip("-") == _WITHIN_A_CARRIER and not one_carrier:
        raise UnservedOrderError(_("Choose a carrier to sort by tracking number: numbers are in order within one."))
    if sort.lstrip("-") == "delivered" and not delivered:
        raise UnservedOrderError(_("Filter by day of delivery to sort by it: other deliveries have none."))
    return ORDERS[sort]


def asks_for_delivered(data: Mapping[str, Any]) -> bool:
    return any(data.get(name) for name in DELIVERED_ONLY)


def walk_of(filters: ShipmentFilter, sort: str) -> QuerySet[Shipment]:
    """The rows with only those filters that one index serves together with the order; see `core.bounded`."""
    filters.is_valid()  # what was asked is only understood afterwards
    chosen, rows = filters.form.cleaned_data, Shipment.objects.all()
    if chosen.get("carrier") and sort.lstrip("-") != "updated":
        rows = rows.filter(carrier=chosen["carrier"])
    if sort.lstrip("-") == "delivered":
        return _delivered_walk(filters, rows)
    if sort.lstrip("-") != "created" and sort:
        return rows
    if chosen.get("late") == "now" or _asks(chosen, *OPEN_ONLY):
        rows = rows.filter(attention.not_ended())
    elif chosen.get("unmapped"):
        rows = Shipment.objects.filter(unmapped=True)
    elif chosen.get("country") and not chosen.get("carrier"):
        rows = rows.filter(destination_country=chosen["country"].upper())
    elif len(chosen.get("status") or ()) == 1 and not chosen.get("carrier"):
        rows = rows.filter(status=chosen["status"][0])
    for name, method in (("created_after", filters.from_day), ("created_before", filters.until_day)):
        rows = method(rows, name, chosen[name]) if chosen.get(name) else rows
    return rows


def parts_of(filters: ShipmentFilter, sort: str) -> list[Q]:
    """One condition per status where several are asked for in the order of the list and no index holds them together."""
    filters.is_valid()
    chosen = filters.form.cleaned_data
    statuses = chosen.get("status") or ()
    served = _asks(chosen, "carrier", "country", "unmapped", "late", *OPEN_ONLY)
    if len(statuses) < 2 or served or (sort and sort.lstrip("-") != "created"):
        return []
    return [Q(status=status) for status in statuses]


def _asks(chosen: Mapping[str, Any], *names: str) -> bool:
    return any(chosen.get(name) not in (None, False, "") for name in names)


def _delivered_walk(filters: ShipmentFilter, rows: QuerySet[Shipment]) -> QuerySet[Shipment]:
    chosen = filters.form.cleaned_data
    ranges: tuple[Callable[..., QuerySet[Shipment]], ...] = (
        filters.delivered_from,
        filters.delivered_until,
        filters.delivered_ago,
        filters.delivered_within,
    )
    for name, method in zip(DELIVERED_ONLY, ranges, strict=True):
        rows = method(rows, name, chosen[name]) if chosen.get(name) is not None else rows
    return rows
