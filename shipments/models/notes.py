"""What people write to each other about a delivery."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.models.shipments import Shipment


class Note(models.Model):
    """One note. It stays when its author leaves; a deleted one is kept, so that deleting can be undone."""

    # No index of its own: the one below begins with it.
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="remarks", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_name = models.CharField(max_length=150)
    text = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    edited = models.DateTimeField(null=True, blank=True)
    deleted = models.DateTimeField(null=True, blank=True, help_text=_("empty: it is shown"))

    class Meta:
        ordering = ["-created", "-id"]
        indexes = [models.Index(fields=["shipment", "-created", "-id"], name="note_of_shipment")]

    def __str__(self) -> str:
        return self.text[:80]
