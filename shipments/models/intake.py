"""How deliveries and events come in: files with their column mapping, and carriers' webhooks."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from shipments.choices import HookState, ImportState
from shipments.models.carriers import Carrier


class ColumnMapping(models.Model):
    """What the columns of files with this header mean: remembered after the first upload."""

    header_digest = models.CharField(max_length=64, unique=True, help_text=_("of the header, without regard to case"))
    header = models.JSONField(help_text=_("the column names as they came"))
    columns = models.JSONField(help_text=_("{column of the file: our field, or empty to leave it out}"))
    carrier = models.ForeignKey(
        Carrier,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("when no column says it"),
    )
    changed_by = models.CharField(max_length=150, blank=True)
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-changed"]

    def __str__(self) -> str:
        return ", ".join(self.header)[:80]


class ImportRun(models.Model):
    """One file on its way in: waiting (for a mapping) -> queued -> running -> done | failed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    file = models.FileField(max_length=250)
    sha256 = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.WAITING)
    columns = models.JSONField(default=dict, blank=True)
    carrier = models.ForeignKey(Carrier, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    error_file = models.FileField(max_length=250, blank=True)
    first_errors = models.JSONField(default=list, blank=True)
    notes = models.JSONField(default=list, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(max_length=150, blank=True)
    source = models.CharField(max_length=20, default="page")
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    heartbeat = models.DateTimeField(null=True, blank=True, help_text=_("a run without it for a minute is taken over"))

    class Meta:
        ordering = ["-created", "-id"]
        indexes = [models.Index(fields=["-created", "-id"], name="import_recent")]

    def __str__(self) -> str:
        return self.name


class CarrierHook(models.Model):
    """A carrier may send us tracking events, signed with this secret."""

    carrier = models.OneToOneField(Carrier, on_delete=models.CASCADE, related_name="hook")
    secret = EncryptedTextField(help_text=_("signs the body; can be written, never read, by people"))
    active = models.BooleanField(default=True)
    last_received = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"webhook of {self.carrier}"


class HookDelivery(models.Model):
    """One webhook as it came: the raw body is kept, whatever became of it."""

    carrier = models.ForeignKey(Carrier, on_delete=models.CASCADE, related_name="hook_deliveries")
    digest = models.CharField(max_length=64, help_text=_("of the body, so that the same one sent again adds nothing"))
    body = models.TextField()
    received = models.DateTimeField(default=timezone.now)
    times = models.PositiveIntegerField(default=1, help_text=_("how often it was sent"))
    state = models.CharField(max_length=10, choices=HookState, default=HookState.RECEIVED)
    events = models.PositiveIntegerField(default=0, help_text=_("new ones"))
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-received", "-id"]
        verbose_name_plural = _("hook deliveries")
        constraints = [models.UniqueConstraint(fields=["carrier", "digest"], name="hook_once")]

    def __str__(self) -> str:
        return f"{self.carrier} {self.received:%Y-%m-%d %H:%M}"
