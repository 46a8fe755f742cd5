"""Lambda functions as AWS describes them, their revisions, and which function serves which capability."""

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import URLValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.choices import Kind


class Function(models.Model):
    """One Lambda function of one account and region. Fields down to `raw` come from AWS; the rest is kept by hand."""

    account = models.CharField(max_length=12)
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=140)
    arn = models.CharField(max_length=250, unique=True)
    description = models.CharField(max_length=256, blank=True)
    runtime = models.CharField(max_length=40, blank=True, help_text=_("empty for container images"))
    handler = models.CharField(max_length=128, blank=True)
    architecture = models.CharField(max_length=10, default="x86_64")
    package_type = models.CharField(max_length=10, default="Zip")
    memory_mb = models.PositiveIntegerField()
    timeout_s = models.PositiveIntegerField()
    ephemeral_mb = models.PositiveIntegerField(default=512)
    code_bytes = models.BigIntegerField(default=0)
    code_sha256 = models.CharField(max_length=64, blank=True)
    revision_id = models.CharField(max_length=64, blank=True)
    last_modified = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=20, blank=True)
    log_group = models.CharField(max_length=512, blank=True)
    in_vpc = models.BooleanField(default=False)
    reserved_concurrency = models.IntegerField(null=True, blank=True, help_text=_("empty: none reserved; 0: stopped"))
    layers = models.JSONField(default=list, blank=True)
    environment_names = models.JSONField(default=list, blank=True, help_text=_("names only, never values"))
    dead_letter = models.CharField(max_length=250, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    vpc = models.JSONField(default=dict, blank=True, help_text=_("{subnets, security_groups}"))
    logging = models.JSONField(default=dict, blank=True, help_text=_("{format, level, system_level}"))
    event_sources = models.JSONField(
        default=list, blank=True, help_text=_("[{source, state, batch_size, uuid}]: mappings that feed it")
    )
    aliases = models.JSONField(default=list, blank=True, help_text=_("[{name, version}]"))
    async_settings = models.JSONField(
        default=list, blank=True, help_text=_("[{qualifier, retries, max_age_s, on_failure, on_success}]")
    )
    provisioned = models.JSONField(default=list, blank=True, help_text=_("[{qualifier, environments}] kept warm"))
    callers = models.JSONField(default=list, blank=True, help_text=_("services that its policy lets call it"))
    details_read = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("when aliases, asynchronous settings, warm environments and callers were read"),
    )
    raw = models.JSONField(default=dict, blank=True, help_text=_("the configuration as AWS answered, without values"))

    owner = models.CharField(max_length=80, blank=True)
    capability = models.CharField(max_length=80, blank=True)
    runbook = models.CharField(
        max_length=300, blank=True, validators=[URLValidator(["http", "https"])],
        help_text=_("the address that says what to do when it fails"),
    )  # fmt: skip
    notes = models.TextField(blank=True)
    dispatch_limit = models.PositiveIntegerField(
        null=True, blank=True,
        help_text=_("most invocations at once from this dashboard; empty: as its capability's binding says"),
    )  # fmt: skip

    sample = models.BooleanField(default=False, help_text=_("part of the sample fleet, not the company's own"))
    first_seen = models.DateTimeField(default=timezone.now)
    synced = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DIRECT, editable=False)
    gone = models.DateTimeField(null=True, blank=True, help_text=_("when a sync no longer found it"))

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "region", "name"], name="function_unique_name"),
        ]
        indexes = [
            # Serves the registry's "contains" search (ILIKE); 200 to 1,000 rows today, cheap to keep.
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="function_name_trgm"),
        ]

    def __str__(self) -> str:
        return self.name


class FunctionRevision(models.Model):
    """One seen change of a function's configuration or code."""

    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="revisions")
    seen = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(null=True, blank=True, help_text=_("LastModified as AWS states it"))
    by = models.CharField(max_length=200, blank=True, help_text=_("as far as CloudTrail tells"))
    changes = models.JSONField(default=dict, help_text=_("{field: [before, after]}; empty for the first one"))

    class Meta:
        ordering = ["-seen", "-id"]
        indexes = [models.Index(fields=["-seen", "-id"], name="revision_recent")]

    def __str__(self) -> str:
        return f"{self.function} at {self.seen:%Y-%m-%d %H:%M}"


class CapabilityBinding(models.Model):
    """Which function does a capability's work, and how much it is given at once."""

    capability = models.SlugField(max_length=60, unique=True, help_text=_("for example render_pdf"))
    function_name = models.CharField(max_length=140)
    region = models.CharField(max_length=30, blank=True, help_text=_("empty: the platform's own region"))
    qualifier = models.CharField(max_length=128, blank=True, help_text=_("version or alias; empty: $LATEST"))
    chunk_size = models.PositiveIntegerField(default=50, help_text=_("most items given to one invocation"))
    concurrency = models.PositiveIntegerField(default=4, help_text=_("most invocations at the same time"))

    class Meta:
        ordering = ["capability"]

    def __str__(self) -> str:
        return f"{self.capability} → {self.function_name}"
