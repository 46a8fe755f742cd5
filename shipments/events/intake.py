"""One webhook on its way in: kept raw, read, stored, and said how it went.

States of a `HookDelivery`: received (kept; events still wait for their delivery, or taking it over broke off) -> taken
(nothing waits any more) | refused (nothing in it could be read).
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from django.db.models import F
from django.utils import timezone

from shipments.choices import HookState
from shipments.deadlocks import again_after_deadlock
from shipments.events.adapters import adapter_of
from shipments.events.parsing import Fault, Said, parse
from shipments.events.storing import store
from shipments.models import Carrier, CarrierHook, HookDelivery

SHOWN_FAULTS = 100


@dataclass(slots=True)
class Taken:
    """What became of one webhook. `again`: the same body was here before, and is dealt with."""

    delivery_id: int
    again: bool = False
    events: int = 0
    new: int = 0
    known: int = 0
    unknown: list[Said] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def readable(self) -> bool:
        return not any(fault.index < 0 for fault in self.faults)

    def as_json(self) -> dict[str, Any]:
        waiting = [Fault(event.index, "unknown_tracking_number", "waits for its delivery") for event in self.unknown]
        return {
            "delivery": self.delivery_id, "again": self.again, "events": self.events, "new": self.new,
            "known": self.known, "waiting": len(self.unknown), "refused": len(self.faults),
            "problems": [asdict(fault) for fault in (self.faults + waiting)[:SHOWN_FAULTS]],
        }  # fmt: skip

    @property
    def problem(self) -> str:
        """For people, in one line."""
        parts = []
        if self.faults:
            first = self.faults[0]
            where = f"event {first.index}: " if first.index >= 0 else ""
            parts.append(f"{len(self.faults)} refused ({where}{first.message})")
        if self.unknown:
            numbers = list(dict.fromkeys(event.tracking_number for event in self.unknown))
            parts.append(f"{len(self.unknown)} wait for unknown tracking numbers ({', '.join(numbers[:5])})")
        return "; ".join(parts)[:500]


def receive(hook: CarrierHook, body: bytes) -> Taken:
    """Keep a webhook whose signature was checked, and take it over. The same body again adds nothing."""
    now = timezone.now()
    delivery, new = HookDelivery.objects.get_or_create(
        carrier_id=hook.carrier_id, digest=hashlib.sha256(body).hexdigest(), defaults={"body": _kept(body)}
    )
    CarrierHook.objects.filter(pk=hook.pk).update(last_received=now)
    if not new:
        HookDelivery.objects.filter(pk=delivery.pk).update(times=F("times") + 1)
        if delivery.state != HookState.RECEIVED:
            return Taken(delivery.pk, again=True)
    taken = take(delivery, hook.carrier)
    taken.again = not new
    return taken


def _kept(body: bytes) -> str:
    """The body as text that the database takes; what is no UTF-8 is spelled out."""
    return body.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def take(delivery: HookDelivery, carrier: Carrier) -> Taken:
    """Store what the body says; harmless at any time and as often as one likes."""
    return again_after_deadlock(partial(_take, delivery, carrier))


def _take(delivery: HookDelivery, carrier: Carrier) -> Taken:
    parsed = parse(delivery.body, adapter_of(carrier.code))
    stored = store(carrier.pk, parsed.events, source="webhook", received=delivery.received)
    taken = Taken(
        delivery.pk, events=len(parsed.events) + len(parsed.faults), new=stored.new, known=stored.known,
        unknown=stored.unknown, faults=parsed.faults,
    )  # fmt: skip
    if not taken.readable:
        state, taken.events = HookState.REFUSED, 0
    else:
        nothing_good = not parsed.events and bool(parsed.faults)
        state = HookState.RECEIVED if stored.unknown else HookState.REFUSED if nothing_good else HookState.TAKEN
    HookDelivery.objects.filter(pk=delivery.pk).update(
        state=state, events=F("events") + stored.new, problem=taken.problem
    )
    return taken


def take_waiting() -> int:
    """Go through the webhooks on which something waits, the oldest first; how many new events that gave."""
    waiting = HookDelivery.objects.filter(state=HookState.RECEIVED).order_by("received", "pk")
    new = 0
    for pk in list(waiting.values_list("pk", flat=True)):
        delivery = HookDelivery.objects.select_related("carrier").filter(pk=pk).first()
        if delivery is not None:
            new += take(delivery, delivery.carrier).new
    return new
