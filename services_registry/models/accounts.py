"""Which AWS accounts and regions the registry looks into, and what came of each look."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,3}-\d")


class AwsAccount(models.Model):
    """One account whose functions are brought in. Without any row: the platform's own credentials and region."""

    name = models.CharField(max_length=80, unique=True, help_text=_("what people call it, for example “production”"))
    role_arn = models.CharField(
        max_length=200, blank=True, help_text=_("the role to assume there; empty: the platform's own credentials"),
        validators=[RegexValidator(r"^arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]{1,128}$", _("This is no role ARN."))],
    )  # fmt: skip
    external_id = EncryptedTextField(blank=True, help_text=_("if the role's trust policy asks for one"))
    regions = models.JSONField(default=list, blank=True, help_text=_("empty: the platform's own region"))
    active = models.BooleanField(default=True)
    number = models.CharField(
        max_length=12, blank=True, editable=False, help_text=_("the 12-digit account id, as AWS said at the last sync")
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("AWS account")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for regions that cannot be any."""
        if not isinstance(self.regions, list) or not all(_REGION.fullmatch(str(name)) for name in self.regions):
            raise ValidationError({"regions": _("A list of regions, for example [“eu-central-1”, “eu-west-1”].")})


class SyncRun(models.Model):
    """One look into one region of one account: what was found, and what could not be read."""

    account = models.ForeignKey(AwsAccount, null=True, blank=True, on_delete=models.CASCADE, related_name="runs")
    region = models.CharField(max_length=30)
    full = models.BooleanField(default=False, help_text=_("every function was read in full, not only changed ones"))
    started = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True, blank=True)
    seen = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    failed = models.JSONField(default=list, blank=True, help_text=_("[[arn, reason]], the first 100"))
    failed_count = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True, help_text=_("why nothing could be listed at all"))
    trail_problem = models.CharField(max_length=300, blank=True, help_text=_("why CloudTrail did not say who"))

    class Meta:
        ordering = ["-started", "-id"]
        indexes = [models.Index(fields=["account", "region", "-started"], name="sync_latest")]

    def __str__(self) -> str:
        return f"{self.region} {self.started:%Y-%m-%d %H:%M}"
