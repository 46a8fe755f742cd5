"""Carriers and how we reach their files."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from shipments.choices import Protocol


class Carrier(models.Model):
    code = models.SlugField(max_length=40, unique=True, help_text=_("as imports and the API name it"))
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CarrierConnection(models.Model):
    """One server of a carrier. The password is encrypted at rest and can be written, never read, by people."""

    carrier = models.OneToOneField(Carrier, on_delete=models.CASCADE, related_name="connection")
    protocol = models.CharField(max_length=5, choices=Protocol)
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField()
    username = models.CharField(max_length=100)
    password = EncryptedTextField(blank=True)
    directory = models.CharField(max_length=300, default="/")
    pattern = models.CharField(
        max_length=200,
        default="{tracking_number}*.pdf",
        help_text=_("file name; {tracking_number} stands for the number"),
    )
    reuse_tls_session = models.BooleanField(default=True)
    ca_pem = models.TextField(blank=True, help_text=_("certificate to trust; empty: the public authorities"))
    host_key = models.CharField(max_length=120, blank=True, help_text=_("SFTP: SHA256:… fingerprint to pin"))
    timeout_s = models.PositiveIntegerField(default=15)
    active = models.BooleanField(default=True)
    last_contact = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ["carrier__name"]

    def __str__(self) -> str:
        return f"{self.get_protocol_display()} of {self.carrier}"
