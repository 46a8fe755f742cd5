"""What was told, to whom, by which way, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.notices.choices import Channel, NoticeState, Severity


class Notice(models.Model):
    """One message, whoever is told of it. Never changed after it was made."""

    topic = models.CharField(max_length=40, help_text=_("what it is about, for example budget"))
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.INFO)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    url = models.CharField(max_length=500, blank=True, help_text=_("where it leads: an address of this site"))
    dedupe_key = models.CharField(max_length=160, blank=True, help_text=_("of what happened"))
    attachment = models.CharField(max_length=300, blank=True, help_text=_("a stored file that e-mails bring along"))
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created", "-id"]
        indexes = [
            models.Index(
                fields=["dedupe_key", "topic", "-created"], condition=~models.Q(dedupe_key=""), name="notice_by_key"
            ),
            models.Index(fields=["created"], name="notice_age"),
        ]

    def __str__(self) -> str:
        return self.subject


class NoticeDelivery(models.Model):
    """A message to one person by one way.

    waiting -> sent | (a try failed) waiting | (a day later, or the address is refused) failed; held -> sent, as part of a
    digest. suppressed: the same was told before; `attempts` says how often that was so, and no way is stated.
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel, blank=True)
    state = models.CharField(max_length=12, choices=NoticeState, default=NoticeState.WAITING)
    reason = models.CharField(max_length=300, blank=True, help_text=_("why it is held, suppressed or failed"))
    attempts = models.PositiveIntegerField(default=0)
    due = models.DateTimeField(null=True, blank=True, help_text=_("when it is sent, or tried again"))
    claimed_until = models.DateTimeField(null=True, blank=True, help_text=_("somebody is sending; a lease"))
    created = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name_plural = _("notice deliveries")
        constraints = [models.UniqueConstraint(fields=["notice", "user", "channel"], name="notice_delivery_once")]
        indexes = [
            models.Index(fields=["user", "-created", "-id"], name="notice_delivery_log"),
            models.Index(
                fields=["due"],
                condition=models.Q(state__in=[NoticeState.WAITING, NoticeState.HELD]),
                name="notice_delivery_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.user_id} {self.channel} {self.state}"


class NoticePreference(models.Model):
    """By which ways one person wants to hear of one topic; without a row, the ways of the topic's kind."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_preferences", db_index=False
    )
    topic = models.CharField(max_length=40)
    channels = ArrayField(models.CharField(max_length=10, choices=Channel), default=list, blank=True)

    class Meta:
        ordering = ["user", "topic"]
        constraints = [models.UniqueConstraint(fields=["user", "topic"], name="notice_preference_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.topic}"
