"""What people write to each other about a delivery."""

from django.db import models
from django.urls import reverse

from core.notes import BaseNote
from shipments.models.shipments import Shipment


class Note(BaseNote):
    """A note on the timeline of a delivery."""

    # No index of its own: the one below begins with it.
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="remarks", db_index=False)

    class Meta:
        ordering = ["-created", "-id"]
        indexes = [models.Index(fields=["shipment", "-created", "-id"], name="note_of_shipment")]

    @property
    def about(self) -> Shipment:
        return self.shipment

    @property
    def where(self) -> str:
        return self.shipment.tracking_number

    @property
    def url(self) -> str:
        """The note on the page of its delivery, wherever in the timeline it is."""
        return f"{reverse('shipment-detail', args=[self.shipment_id])}?show=note#note-{self.pk}"

    @property
    def told_as(self) -> str:
        return f"note:{self.pk}"
