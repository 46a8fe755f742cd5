"""Messages as carriers write them, and what each was taken to mean."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import Status
from shipments.models.carriers import Carrier
from shipments.models.shipments import Shipment


class CarrierMessage(models.Model):
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="messages")
    shipment = models.ForeignKey(Shipment, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    code = models.CharField(max_length=80, blank=True)
    text = models.TextField(blank=True)
    received = models.DateTimeField(default=timezone.now)
    status = models.CharField(max_length=20, choices=Status, blank=True, help_text=_("empty: not classified yet"))
    reason = models.CharField(max_length=50, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    applied = models.BooleanField(default=False, help_text=_("sure enough to be used without a person"))
    language = models.CharField(max_length=5, blank=True)
    translation = models.TextField(blank=True)
    decided_by = models.CharField(max_length=20, blank=True)
    decided = models.DateTimeField(null=True, blank=True)
    # Of an imported row, so that importing it again adds nothing; null for messages that came otherwise.
    digest = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)  # noqa: DJ001
    updated = models.DateTimeField(
        db_default=Now(), editable=False, help_text=_("moved by the database at every change; sync clients read by it")
    )
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["-received", "-id"]
        indexes = [
            models.Index(fields=["-received", "-id"], name="message_recent"),
            models.Index(fields=["updated", "id"], name="message_updated"),
            models.Index(fields=["received", "id"], condition=models.Q(status=""), name="message_unclassified"),
            # Those a person has to look at; few, as long as people do.
            models.Index(
                fields=["-received", "-id"],
                condition=models.Q(applied=False) & ~models.Q(status=""),
                name="message_to_review",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80] or self.code
