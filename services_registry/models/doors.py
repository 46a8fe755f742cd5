"""The doors that log lines come in by: what came, who may send, how far a log has been read."""

import hashlib
import hmac
import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.choices import Door
from services_registry.models.functions import Function


class DoorHour(models.Model):
    """What came in by one door in one hour of our clock (not of the lines')."""

    door = models.CharField(max_length=20, choices=Door)
    hour = models.DateTimeField()
    lines = models.BigIntegerField(default=0, help_text=_("platform lines, REPORT or not"))
    reports = models.BigIntegerField(default=0)
    new = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    last_seen = models.DateTimeField(default=timezone.now)
    lag_s = models.FloatField(default=0, help_text=_("sum over new reports that state a time: received minus ended"))
    timed = models.BigIntegerField(default=0, help_text=_("new reports that state a time"))
    most_lag_s = models.FloatField(default=0)

    class Meta:
        ordering = ["-hour", "door"]
        constraints = [models.UniqueConstraint(fields=["door", "hour"], name="door_hour_once")]
        indexes = [models.Index(fields=["hour"], name="door_hour_by_time")]

    def __str__(self) -> str:
        return f"{self.door} {self.hour:%Y-%m-%d %H}"


class FirehoseKey(models.Model):
    """What a Firehose stream shows to be let in. Only a hash is kept; the key itself is shown once."""

    PREFIX = "spf_"

    name = models.CharField(max_length=80, unique=True, help_text=_("which stream uses it"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)
    revoked = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @staticmethod
    def digest_of(key: str) -> str:
        # A random 256-bit key needs no slow hash.
        return hashlib.sha256(key.encode()).hexdigest()

    def opens_with(self, digest: str) -> bool:
        """Compares in a time that does not tell how much of it is right."""
        return hmac.compare_digest(self.digest, digest)

    def new_key(self) -> str:
        """Put the hash of a new random key into this row; returns the key, which exists nowhere else afterwards."""
        key = self.PREFIX + secrets.token_urlsafe(32)
        self.digest, self.hint = self.digest_of(key), key[:8]
        return key


class LogPosition(models.Model):
    """How far a function's log has been read by the hourly pull."""

    function = models.OneToOneField(Function, on_delete=models.CASCADE, primary_key=True, related_name="log_position")
    until = models.DateTimeField(help_text=_("everything before has been read at least once"))
    checked = models.DateTimeField(default=timezone.now)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["checked"]

    def __str__(self) -> str:
        return f"{self.function_id} {self.until:%Y-%m-%d %H:%M}"
