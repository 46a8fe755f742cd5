"""Notes on a few sample deliveries, so that a demo shows people at work. Written by the accounts of the first start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from shipments.models import Note, Shipment
from shipments.notes import write_note

# By status: who wrote what, in order, two hours apart. The newest deliveries of the status get them.
TALKS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("delivery_failed", (
        ("operator", "Nobody at home twice. Rang the customer: they are there after 17:00 and ask for a third try."),
        ("admin", "@operator third try is agreed with the carrier for tomorrow, window 17:00 to 19:00."),
    )),
    ("on_hold", (
        ("operator", "Customs want the commercial invoice again; the first copy was cut off at the second page."),
        ("operator", "Sent. @admin please keep an eye on it, the promised date will not hold."),
    )),
    ("delivery_delayed", (("admin", "Roads closed by snow on the whole route. Customer informed, no claim."),)),
    ("delivered", (("operator", "Left with the neighbour at number 12, confirmed by the customer by phone."),)),
    ("in_transit", (("operator", "Fragile goods: two people needed for unloading.\nGate 4, ring twice."),)),
)  # fmt: skip
OF_EACH, APART = 2, timedelta(hours=2)


@transaction.atomic
def write_sample_notes(log: Callable[[str], None]) -> None:
    """Once; nothing is written while an account is missing."""
    people = {user.username: user for user in get_user_model().objects.filter(username__in=("operator", "admin"))}
    if len(people) < 2 or Note.objects.filter(shipment__sample=True).exists():
        log("sample notes are kept as they are")
        return
    written = 0
    for status, talk in TALKS:
        for shipment in Shipment.objects.filter(sample=True, status=status)[:OF_EACH]:
            began = max(shipment.created, timezone.now() - timedelta(hours=30))
            for place, (name, text) in enumerate(talk):
                note = write_note(shipment=shipment, author=people[name], text=text, source="system")
                Note.objects.filter(pk=note.pk).update(created=min(timezone.now(), began + (place + 1) * APART))
                written += 1
    log(f"{written} sample notes")
