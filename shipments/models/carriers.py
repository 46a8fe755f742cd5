"""Carriers and how we reach their files."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from shipments.choices import AfterFetch, DocumentType, Protocol

EVERY_DAY = "0123456"


class Carrier(models.Model):
    code = models.SlugField(max_length=40, unique=True, help_text=_("as imports and the API name it"))
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def check_zone(name: str) -> None:
    """Refuse a zone that nobody knows."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is no time zone; write one like Europe/Madrid or UTC.") % {"name": name})


def check_days(days: str) -> None:
    """Refuse what is no set of days."""
    if not days or set(days) - set(EVERY_DAY):
        raise ValidationError(_("Days are digits from 0 (Monday) to 6 (Sunday), like 01234 for working days."))


class CarrierConnection(models.Model):
    """One server of a carrier. Password and key are encrypted at rest and can be written, never read, by people."""

    carrier = models.OneToOneField(Carrier, on_delete=models.CASCADE, related_name="connection")
    protocol = models.CharField(max_length=13, choices=Protocol)
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(65_535)])
    username = models.CharField(max_length=100)
    password = EncryptedTextField(blank=True)
    private_key = EncryptedTextField(blank=True, help_text=_("SFTP: an unencrypted key, tried before the password"))
    directory = models.CharField(
        max_length=300,
        default="/",
        help_text=_("parts of it may have wildcards or {tracking_number}: /out/*/pod"),
    )
    pattern = models.CharField(
        max_length=200,
        default="{tracking_number}*.pdf",
        help_text=_("file name; {tracking_number} stands for the number, * for anything, ? for one character"),
    )
    document_type = models.CharField(
        max_length=30, choices=DocumentType, default=DocumentType.PROOF_OF_DELIVERY, help_text=_("what its files are")
    )
    passive = models.BooleanField(
        default=True, help_text=_("FTP: the server opens the data ports; off only where it cannot")
    )
    reuse_tls_session = models.BooleanField(default=True)
    ca_pem = models.TextField(blank=True, help_text=_("certificate to trust; empty: the public authorities"))
    host_key = models.CharField(max_length=120, blank=True, help_text=_("SFTP: SHA256:… fingerprint to pin"))
    encoding = models.CharField(
        max_length=30,
        blank=True,
        help_text=_("of names on the server, like cp850; empty: UTF-8, else Western European"),
    )
    zone = models.CharField(
        max_length=60,
        default="UTC",
        validators=[check_zone],
        help_text=_("the carrier's: of its clock, and of the hours below"),
    )
    timeout_s = models.PositiveIntegerField(default=15, validators=[MinValueValidator(1), MaxValueValidator(120)])
    max_sessions = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1)], help_text=_("most connections at once that the carrier allows")
    )
    active = models.BooleanField(default=True)

    sweep_minutes = models.PositiveIntegerField(
        default=0, help_text=_("look for new files so often; 0: only when somebody asks for a delivery's documents")
    )
    sweep_days = models.CharField(
        max_length=7, default=EVERY_DAY, validators=[check_days], help_text=_("0 is Monday; 01234 are working days")
    )
    sweep_from = models.TimeField(null=True, blank=True, help_text=_("not earlier in the day"))
    sweep_until = models.TimeField(null=True, blank=True, help_text=_("not later; earlier than the start: over night"))
    fetch_unknown = models.BooleanField(
        default=True, help_text=_("also fetch files whose number no delivery has, and keep them for review")
    )
    after_fetch = models.CharField(max_length=6, choices=AfterFetch, default=AfterFetch.KEEP)
    move_to = models.CharField(
        max_length=300, blank=True, help_text=_("a directory of the server that is there already")
    )
    breaker_after = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1)],
        help_text=_("failed contacts in a row after which it is left alone for a while"),
    )

    last_contact = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    last_error_type = models.CharField(max_length=40, blank=True, editable=False)
    last_failure = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text=_("failed contacts in a row"))
    open_since = models.DateTimeField(null=True, blank=True, editable=False, help_text=_("left alone since"))
    next_probe = models.DateTimeField(null=True, blank=True, editable=False, help_text=_("when it is tried again"))
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_by = models.CharField(max_length=150, blank=True, editable=False)
    pause_reason = models.CharField(max_length=300, blank=True, editable=False)
    last_sweep = models.DateTimeField(null=True, blank=True, editable=False)
    next_sweep = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    last_listing = models.JSONField(default=dict, blank=True, editable=False, help_text=_("counts of the last sweep"))

    class Meta:
        ordering = ["carrier__name"]

    def __str__(self) -> str:
        return f"{self.get_protocol_display()} of {self.carrier}"

    def clean(self) -> None:
        if self.after_fetch == AfterFetch.MOVE and not self.move_to:
            raise ValidationError({"move_to": _("Say where fetched files are moved to.")})
        if bool(self.sweep_from) != bool(self.sweep_until):
            raise ValidationError({"sweep_until": _("Give both hours, or none.")})
