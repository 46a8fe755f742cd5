"""Documents: original bytes, never altered."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.models import Batch
from shipments.choices import DocumentState, DocumentType, Extraction, Matching, Thumbnail
from shipments.models.carriers import Carrier
from shipments.models.document_work import DocumentText
from shipments.models.shipments import Shipment


class DocumentQuerySet(models.QuerySet["Document"]):
    def present(self) -> DocumentQuerySet:
        """All but what people deleted or rejected; quarantined ones and older versions are in it."""
        return self.exclude(state__in=(DocumentState.DELETED, DocumentState.REJECTED))

    def current(self) -> DocumentQuerySet:
        """What people work with: present, and the newest version of each."""
        return self.present().filter(superseded=False)

    def unmatched(self) -> DocumentQuerySet:
        """Stored files whose delivery is not known."""
        return self.filter(shipment__isnull=True, state=DocumentState.STORED)


class Document(models.Model):
    """One file. Made by a function, fetched from a carrier or uploaded; the same bytes for a shipment are kept once.

    stored <-> quarantined (-> rejected); any of them -> deleted (bytes stay for 30 days) -> gone.
    """

    shipment = models.ForeignKey(Shipment, null=True, blank=True, on_delete=models.CASCADE, related_name="documents")
    carrier = models.ForeignKey(Carrier, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    type = models.CharField(max_length=30, choices=DocumentType)
    state = models.CharField(max_length=12, choices=DocumentState, default=DocumentState.STORED)
    state_before = models.CharField(
        max_length=12, blank=True, db_default="", help_text=_("of a deleted one, for taking it back")
    )
    state_changed = models.DateTimeField(null=True, blank=True)
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
    version = models.PositiveIntegerField(
        default=1, db_default=1, help_text=_("of the same name and type for the same delivery")
    )
    superseded = models.BooleanField(default=False, db_default=False, help_text=_("a newer version is stored"))
    held = models.BooleanField(default=False, db_default=False, help_text=_("retention never deletes it"))
    extraction = models.CharField(
        max_length=8, choices=Extraction, default=Extraction.WAITING, db_default=Extraction.WAITING
    )
    extraction_problem = models.CharField(max_length=300, blank=True, db_default="")
    reading_since = models.DateTimeField(
        null=True, blank=True, help_text=_("a worker reads it; taken over by another after five minutes")
    )
    thumbnail = models.CharField(
        max_length=4, choices=Thumbnail, blank=True, default=Thumbnail.UNKNOWN, db_default=Thumbnail.UNKNOWN
    )
    matching = models.CharField(
        max_length=8, choices=Matching, blank=True, default=Matching.UNKNOWN, db_default=Matching.UNKNOWN
    )
    created = models.DateTimeField(default=timezone.now)
    updated = models.DateTimeField(
        db_default=Now(), editable=False, help_text=_("moved by the database at every change; sync clients read by it")
    )
    sample = models.BooleanField(default=False)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]
        permissions = [("release_document", _("Can release documents from quarantine"))]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "type", "sha256"], name="document_once"),
        ]
        indexes = [
            models.Index(fields=["sha256"], name="document_by_content"),
            models.Index(fields=["-created", "-id"], name="document_recent"),
            models.Index(fields=["type", "-created", "-id"], name="document_by_type"),
            # Small parts of the table: what waits for a worker, for a person, or is no good.
            models.Index(
                fields=["id"],
                condition=Q(extraction=Extraction.WAITING, state=DocumentState.STORED),
                name="document_to_read",
            ),
            models.Index(
                fields=["-created", "-id"], condition=~Q(state=DocumentState.STORED), name="document_not_stored"
            ),
            models.Index(fields=["-created", "-id"], condition=Q(shipment__isnull=True), name="document_unmatched"),
            models.Index(fields=["id"], condition=Q(matching=Matching.REVIEW), name="document_to_review"),
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="document_name_trgm"),
            models.Index(fields=["updated", "id"], name="document_updated"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """What was read of it; empty when nothing was."""
        read = DocumentText.objects.filter(document=self.pk).only("text").first()
        return read.text if read else ""
