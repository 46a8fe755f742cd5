"""What every app leans on: who did what, API tokens, and a person's own settings."""

from __future__ import annotations

import hashlib
import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One thing a person or a tool did. Never changed, never deleted by the product."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=150, blank=True)
    source = models.CharField(max_length=20, help_text=_("page, api, admin, schedule, command or system"))
    verb = models.CharField(max_length=80, help_text=_("what was done, for example batch.started"))
    target = models.CharField(
        max_length=200, blank=True, db_index=True, help_text=_("what it was done to, as app.model:id")
    )
    summary = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = _("audit entries")
        permissions = [
            ("operate", _("Can run functions, start and stop batches, import deliveries")),
            ("administer", _("Can change configuration, stop functions, manage people")),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name or 'system'} {self.verb} {self.target}"


class ApiToken(models.Model):
    """A tool's key to the API. Only a hash is kept; the key itself is shown once."""

    PREFIX = "spt_"

    name = models.CharField(max_length=80, help_text=_("which tool uses it, for example “warehouse label printer”"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)
    revoked = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def usable(self) -> bool:
        return self.revoked is None and (self.expires is None or self.expires > timezone.now())

    @staticmethod
    def digest_of(key: str) -> str:
        # A random 256-bit key needs no slow hash; SHA-256 keeps the look-up one index probe.
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def issue(cls, *, user: models.Model, name: str, expires: object = None) -> tuple[ApiToken, str]:
        """Make a token; the second value is the key, which exists nowhere else afterwards."""
        key = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(user=user, name=name, digest=cls.digest_of(key), hint=key[:8], expires=expires)
        return token, key


class Preference(models.Model):
    """How one person wants to see things."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("as the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    class Density(models.TextChoices):
        COMPACT = "compact", _("compact")
        COMFORTABLE = "comfortable", _("comfortable")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference")
    time_zone = models.CharField(max_length=60, blank=True)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.AUTO)
    density = models.CharField(max_length=12, choices=Density, default=Density.COMPACT)
    quiet_from = models.TimeField(null=True, blank=True, help_text=_("in the person's zone; empty: never quiet"))
    quiet_to = models.TimeField(null=True, blank=True)
    urgent_in_quiet = models.BooleanField(default=False, help_text=_("critical messages come in quiet hours too"))

    def __str__(self) -> str:
        return f"preferences of {self.user}"


class SavedView(models.Model):
    """A list as somebody wants to see it again: its filters, columns and order, under an address of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    list_name = models.CharField(max_length=40, help_text=_("which list, for example shipments"))
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True, help_text=_("the part of the address after the question mark, without cursor"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    shared = models.BooleanField(default=False, help_text=_("everybody sees it; only its owner changes it"))
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "list_name", "name"], name="saved_view_once")]
        indexes = [models.Index(fields=["list_name", "shared"], name="saved_view_shared")]

    def __str__(self) -> str:
        return self.name


class Notification(models.Model):
    """One thing that one person should know of, until they have read it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=40, help_text=_("what it is about, for example mention"))
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=500, blank=True, help_text=_("where it leads: an address of this site"))
    dedupe_key = models.CharField(max_length=120, blank=True, help_text=_("of what happened; told once to a person"))
    created = models.DateTimeField(default=timezone.now)
    read = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "dedupe_key"], condition=~models.Q(dedupe_key=""), name="notification_once"
            )
        ]
        indexes = [
            models.Index(fields=["user", "-created", "-id"], name="notification_recent"),
            models.Index(fields=["user"], condition=models.Q(read=None), name="notification_unread"),
            # A thing that is taken back is looked for by its key, whoever was told of it.
            models.Index(fields=["dedupe_key"], condition=~models.Q(dedupe_key=""), name="notification_by_key"),
        ]

    def __str__(self) -> str:
        return self.text


class KeptAnswer(models.Model):
    """What a request with an `Idempotency-Key` was answered, for three days; see `core.api.idempotency`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, help_text=_("of method, address and body"))
    status = models.PositiveSmallIntegerField(default=0, help_text=_("0: still being worked on"))
    body = models.JSONField(null=True)
    created = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return self.key


from core.aws_calls.models import AwsBudget, AwsCallDay, AwsCallPrice  # noqa: E402, F401  # its own room
from core.notices.models import Notice, NoticeDelivery, NoticePreference  # noqa: E402, F401  # its own room
from core.webhooks.models import WebhookDelivery, WebhookEvent, WebhookSubscription  # noqa: E402, F401  # its own room
