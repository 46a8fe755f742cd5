"""Tracking events of the sample deliveries; three codes are left unmapped, so that the backlog shows something."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from shipments.models import Carrier, CodeMapping, Shipment, TrackingEvent
from shipments.status import look_up
from shipments.status.meaning import forget

VALID_FROM = date(2026, 1, 1)
# code, text, status, reason, hours after the order
MOVING = (("PU", "Picked up", "picked_up", "", 4), ("IT", "Arrived at sorting centre", "in_transit", "", 15))
LAST = {
    "delivered": ("DL", "Delivered", "delivered", "", 40),
    "out_for_delivery": ("OD", "With the courier", "out_for_delivery", "", 30),
    "delivery_failed": ("NH", "Nobody at home", "delivery_failed", "consignee_not_home", 32),
    "on_hold": ("CH", "Held by customs", "on_hold", "customs_delay", 28),
    "delivery_delayed": ("WX", "Roads closed by snow", "delivery_delayed", "weather_delay", 26),
}
SILENT = 25
PUZZLES = {
    "sample-colis-vert": ("RPT", "Adresse incorrecte, colis en attente"),
    "sample-nordpaket": ("Z41", "Die Sendung wird zollamtlich abgefertigt"),
    "sample-wisla": ("W7", "Status 7"),
}


def map_sample_codes(carrier: Carrier) -> None:
    """What the codes of the sample carriers mean, as an administrator would have entered it."""
    CodeMapping.objects.bulk_create(
        [
            CodeMapping(carrier=carrier, code=code, status=status, reason=reason, valid_from=VALID_FROM,
                        source="sample data", changed_by="sample")
            for code, _text, status, reason, _hours in (*MOVING, *LAST.values())
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    forget()


def events_of(shipment: Shipment, now: datetime, *, puzzling: bool) -> list[TrackingEvent]:
    """A history that leads to the status of the delivery, none of it after `now`.

    `puzzling`: when it is under way, the latest event of some carriers has a code that nobody has mapped.
    """
    if shipment.status == "pending":
        return []
    last = LAST.get(shipment.status)
    steps = [(code, text, hours) for code, text, _status, _reason, hours in (*MOVING, *([last] if last else []))]
    carrier = shipment.carrier.code
    if puzzling and shipment.status != "delivered" and carrier in PUZZLES:
        steps.append((*PUZZLES[carrier], 44))
    ends = now - timedelta(minutes=1)
    times = [min(shipment.created + timedelta(hours=hours), ends) for _code, _text, hours in steps]
    if shipment.delivered:
        times[-1] = min(shipment.delivered, ends)
    elif shipment.pk % SILENT:
        # Late ones are still heard of; the others fall silent, and age.
        times[-1] = max(times[-1], ends - timedelta(hours=10 * (shipment.pk % SILENT)))
    return [_event(shipment, at, code, text) for (code, text, _hours), at in zip(steps, times, strict=True)]


def _event(shipment: Shipment, at: datetime, code: str, text: str) -> TrackingEvent:
    meaning = look_up(shipment.carrier_id, code, at.date())
    city = str(shipment.recipient.get("city", ""))
    return TrackingEvent(
        shipment=shipment, at=at, received=at, code=code, text=text, place=city, status=meaning.status,
        reason=meaning.reason, unmapped=not meaning.mapped, source="sample",
    )  # fmt: skip
