"""Documents: original bytes, never altered."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.models import Batch
from shipments.choices import DocumentState, DocumentType
from shipments.models.carriers import Carrier
from shipments.models.shipments import Shipment


class Document(models.Model):
    """One file. Made by a function, fetched from a carrier or uploaded; the same bytes for a shipment are kept once."""

    shipment = models.ForeignKey(Shipment, null=True, blank=True, on_delete=models.CASCADE, related_name="documents")
    carrier = models.ForeignKey(Carrier, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    type = models.CharField(max_length=30, choices=DocumentType)
    state = models.CharField(max_length=12, choices=DocumentState, default=DocumentState.STORED)
    problem = models.CharField(max_length=300, blank=True, help_text=_("why it is in quarantine"))
    file = models.FileField(max_length=250)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=80, default="application/pdf")
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    pages = models.PositiveIntegerField(null=True, blank=True)
    source = models.CharField(max_length=20, help_text=_("rendered, fetched or uploaded"))
    remote_path = models.CharField(max_length=400, blank=True)
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # Versions are never deleted, and nothing is found by them: no constraint, no index on a table that grows for ever.
    template_version = models.ForeignKey(
        "shipments.TemplateVersion",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text=_("what it was printed with; empty: the built-in page"),
    )
    created = models.DateTimeField(default=timezone.now)
    updated = models.DateTimeField(
        db_default=Now(), editable=False, help_text=_("moved by the database at every change; sync clients read by it")
    )
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "type", "sha256"], name="document_once"),
        ]
        indexes = [
            models.Index(fields=["sha256"], name="document_by_content"),
            models.Index(fields=["updated", "id"], name="document_updated"),
        ]

    def __str__(self) -> str:
        return self.name
