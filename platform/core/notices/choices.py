"""Ways to reach a person, how much a message matters, and what became of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    INBOX = "inbox", _("inbox")
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")


class Severity(models.TextChoices):
    INFO = "info", _("for information")
    WARNING = "warning", _("needs a look")
    CRITICAL = "critical", _("critical")


class NoticeState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    HELD = "held", _("held for quiet hours")
    SENT = "sent", _("sent")
    SUPPRESSED = "suppressed", _("told before")
    FAILED = "failed", _("failed")


OPEN = (NoticeState.WAITING, NoticeState.HELD)
TONES: dict[str, str] = {
    Severity.INFO: "blue",
    Severity.WARNING: "yellow",
    Severity.CRITICAL: "red",
    NoticeState.WAITING: "yellow",
    NoticeState.HELD: "purple",
    NoticeState.SENT: "green",
    NoticeState.SUPPRESSED: "secondary",
    NoticeState.FAILED: "red",
}
