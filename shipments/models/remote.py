"""Files on carriers' servers, as far as we know them; sessions that are open there; deliveries whose documents are late."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.models import Batch
from shipments.choices import DocumentType, RemoteState
from shipments.models.carriers import CarrierConnection
from shipments.models.documents import Document
from shipments.models.shipments import Shipment


class RemoteFile(models.Model):
    """One file that a listing showed and the pattern takes, known by its address on the server.

    seen -> stable (unchanged over two listings) -> fetched -> matched | unmatched | duplicate | quarantined;
    seen, stable -> gone when it vanishes before; anything -> seen when it changes on the server or is tried again.
    """

    # No index of its own: the unique address serves it.
    connection = models.ForeignKey(CarrierConnection, on_delete=models.CASCADE, related_name="files", db_index=False)
    address = models.CharField(max_length=2000, help_text=_("its path on the server, in ASCII"))
    name = models.CharField(max_length=300)
    folder = models.CharField(max_length=400, blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    modified = models.DateTimeField(null=True, blank=True, help_text=_("by the server's clock"))
    stamp = models.CharField(max_length=40, blank=True, help_text=_("the time as the server wrote it"))
    number = models.CharField(max_length=40, blank=True, help_text=_("the tracking number in its path"))
    state = models.CharField(max_length=12, choices=RemoteState, default=RemoteState.SEEN)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    on_server = models.BooleanField(default=True, help_text=_("the last listing showed it"))
    tries = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    shipment = models.ForeignKey(
        Shipment, null=True, blank=True, on_delete=models.SET_NULL, related_name="remote_files"
    )
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.SET_NULL, related_name="remote_files"
    )
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    cleaned = models.DateTimeField(null=True, blank=True, help_text=_("deleted or moved on the server"))
    clean_error = models.CharField(max_length=300, blank=True)
    history = models.JSONField(default=list, blank=True, help_text=_("[[time, state, words]], the latest last"))

    class Meta:
        ordering = ["-last_seen", "-id"]
        constraints = [models.UniqueConstraint(fields=["connection", "address"], name="remote_file_once")]
        indexes = [
            models.Index(fields=["connection", "state", "-first_seen", "-id"], name="remote_by_state"),
            models.Index(
                fields=["connection", "next_try"], condition=models.Q(state=RemoteState.STABLE), name="remote_waiting"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CarrierSession(models.Model):
    """A place of the carrier's session limit, held by one invocation until it is over, or until `until` at the latest."""

    connection = models.ForeignKey(CarrierConnection, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    holder = models.UUIDField(help_text=_("the chunk, or a person's test"))
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "holder"], name="carrier_session_once")]

    def __str__(self) -> str:
        return str(self.holder)


class LateDocument(models.Model):
    """A document that was looked for and not got: why, and how often. Gone when it comes."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="late_documents", db_index=False)
    type = models.CharField(max_length=30, choices=DocumentType)
    tries = models.PositiveIntegerField(default=1)
    first_try = models.DateTimeField(default=timezone.now)
    last_try = models.DateTimeField(default=timezone.now)
    error_type = models.CharField(max_length=40)
    error = models.CharField(max_length=300)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shipment", "type"], name="late_document_once")]

    def __str__(self) -> str:
        return f"{self.type}: {self.error_type}"
