"""What the platform makes of documents: their text, proposals of a delivery, prints; and how long they are kept."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import DocumentType, PrintState
from shipments.models.shipments import Shipment


class DocumentText(models.Model):
    """The text of one document, in a table of its own so that lists of documents stay narrow.

    `search` is made by PostgreSQL: the words as they are, and their stems in the language of the text.
    """

    document = models.OneToOneField(
        "shipments.Document", primary_key=True, on_delete=models.CASCADE, related_name="extracted"
    )
    text = models.TextField(blank=True)
    numbers = models.TextField(blank=True, help_text=_("printed in groups, put together: 53 7453 4616 is 5374534616"))
    language = models.CharField(max_length=5, blank=True, help_text=_("ISO 639-1; empty: not known"))
    cut = models.BooleanField(default=False, help_text=_("there was more text or there were more pages than are read"))
    made = models.DateTimeField(default=timezone.now)
    search = models.GeneratedField(
        expression=Func(F("language"), F("text"), F("numbers"), function="document_vector"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        # Without a list of pending entries: workers write a little slower, and no search has to go through the list.
        indexes = [GinIndex(fields=["search"], name="document_text_search", fastupdate=False)]

    def __str__(self) -> str:
        return self.text[:60]


class MatchCandidate(models.Model):
    """A delivery that a document may belong to, with what speaks for it."""

    document = models.ForeignKey("shipments.Document", on_delete=models.CASCADE, related_name="candidates")
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="+")
    confidence = models.FloatField(help_text=_("0 to 1"))
    evidence = models.JSONField(default=list, help_text=_("[{kind, text, page}]"))
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-confidence", "id"]
        constraints = [models.UniqueConstraint(fields=["document", "shipment"], name="candidate_once")]

    def __str__(self) -> str:
        return f"{self.document_id} -> {self.shipment_id} ({self.confidence:.2f})"


class RetentionRule(models.Model):
    """How long documents of one type are kept after their delivery was delivered; without a rule, for ever."""

    type = models.CharField(max_length=30, choices=DocumentType, unique=True)
    months = models.PositiveIntegerField(help_text=_("after the delivery was delivered"))
    active = models.BooleanField(default=False, help_text=_("look at the number it would delete before you tick this"))

    class Meta:
        ordering = ["type"]

    def __str__(self) -> str:
        return f"{self.get_type_display()}: {self.months} months"


class PrintJob(models.Model):
    """Many documents as one PDF. queued -> running -> done | failed; the file is removed after a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=PrintState, default=PrintState.QUEUED)
    documents = models.JSONField(help_text=_("ids, in the order of print"))
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=list, blank=True, help_text=_("[{id, name, reason}]"))
    problem = models.CharField(max_length=300, blank=True)
    file = models.FileField(max_length=250, blank=True)
    pages = models.PositiveIntegerField(null=True, blank=True)
    bytes = models.BigIntegerField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(max_length=150, blank=True)
    created = models.DateTimeField(default=timezone.now)
    heartbeat = models.DateTimeField(null=True, blank=True, help_text=_("a job without it for a minute is taken over"))
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return f"{self.total} documents as one PDF"
