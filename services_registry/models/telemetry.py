"""What invocations did: raw reports and the rollups that charts read. Hours are UTC."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.choices import Door, Origin
from services_registry.models.functions import Function


class InvocationReport(models.Model):
    """One REPORT (or platform.report) of one invocation attempt. Re-delivery of the same line changes nothing.

    In the database a table of day partitions (by `at`) and one partition for days outside the kept ones; see
    `telemetry.partitions`. What makes a line count once is `ReportKey`, see docs/decisions/0008.
    """

    # No foreign key in the database: it would cost a look-up for each row of a bulk insert.
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="reports", db_constraint=False)
    request_id = models.CharField(max_length=64)
    # Lambda's own retries share a request id; each attempt states other figures. The digest of those tells them apart.
    digest = models.CharField(max_length=16)
    at = models.DateTimeField(help_text=_("when it ended, as far as the source tells"))
    duration_ms = models.FloatField()
    billed_ms = models.PositiveIntegerField()
    memory_mb = models.PositiveIntegerField()
    max_memory_mb = models.PositiveIntegerField(null=True, blank=True)
    init_ms = models.FloatField(null=True, blank=True, help_text=_("present on a cold start only"))
    restore_ms = models.FloatField(null=True, blank=True)
    status = models.CharField(max_length=20, default="success", help_text=_("success, error, timeout or failure"))
    error_type = models.CharField(max_length=120, blank=True)
    door = models.CharField(max_length=20, help_text=_("tail, file, pull or firehose"))
    received = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["function", "-at"], name="report_by_function"),
            models.Index(fields=["request_id"], name="report_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.duration_ms} ms"


class ReportKey(models.Model):
    """The identity of a line that was counted: 16 bytes of function, request id and digest. Outlives the report."""

    key = models.UUIDField(primary_key=True)
    received = models.DateField(
        null=True, help_text=_("the key is forgotten some time after; empty: never, because the line states no time")
    )

    class Meta:
        indexes = [BrinIndex(fields=["received"], name="report_key_by_day")]

    def __str__(self) -> str:
        return str(self.key)


class RejectedLine(models.Model):
    """A line that carries a platform marker but could not be trusted; kept for inspection, never guessed at."""

    at = models.DateTimeField(default=timezone.now)
    door = models.CharField(max_length=20, choices=Door)
    source = models.CharField(max_length=300, blank=True)
    event = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    line = models.TextField(help_text=_("at most 2,000 characters"))
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["-at", "-id"], name="rejected_recent")]

    def __str__(self) -> str:
        return self.reason


class RollupFields(models.Model):
    """Sums that can be added up over time and functions; percentiles come from the histogram."""

    invocations = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0, help_text=_("failed ones, time-outs included"))
    timeouts = models.BigIntegerField(default=0)
    cold_starts = models.BigIntegerField(default=0)
    duration_ms = models.FloatField(default=0, help_text=_("sum"))
    init_ms = models.FloatField(default=0, help_text=_("sum"))
    billed_ms = models.BigIntegerField(default=0, help_text=_("sum"))
    billed_mb_ms = models.DecimalField(
        max_digits=24,
        decimal_places=0,
        default=0,
        help_text=_("sum of billed ms × configured MB; an exact whole number"),
    )
    max_memory_mb = models.PositiveIntegerField(default=0, help_text=_("the largest seen"))
    histogram = models.BinaryField(default=b"", help_text=_("durations in log buckets, see telemetry.histogram"))
    updated = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True


class FunctionHour(RollupFields):
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.REPORTS)

    class Meta:
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["function", "hour", "origin"], name="function_hour_once")]
        indexes = [models.Index(fields=["hour", "function"], name="function_hour_by_time")]

    def __str__(self) -> str:
        return f"{self.function_id} {self.hour:%Y-%m-%d %H}"


class FunctionDay(RollupFields):
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.REPORTS)
    since = models.DateTimeField(default=timezone.now, help_text=_("when its first line came in"))

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["function", "day", "origin"], name="function_day_once")]
        indexes = [models.Index(fields=["day", "function"], name="function_day_by_time")]

    def __str__(self) -> str:
        return f"{self.function_id} {self.day}"


class FleetDay(RollupFields):
    """One day of all functions together: what the home page and fleet charts read."""

    day = models.DateField()
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.REPORTS)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["day", "origin"], name="fleet_day_once")]

    def __str__(self) -> str:
        return f"{self.day}"


class FleetHour(RollupFields):
    """One hour of all functions of a region and architecture, on which prices depend: fleet charts of a few days."""

    hour = models.DateTimeField()
    region = models.CharField(max_length=30)
    architecture = models.CharField(max_length=10)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.REPORTS)

    class Meta:
        ordering = ["hour"]
        constraints = [
            models.UniqueConstraint(fields=["hour", "region", "architecture", "origin"], name="fleet_hour_once")
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.region} {self.architecture}"


class FleetUsage(RollupFields):
    """A day of all functions of a region and architecture: what a day of the fleet is billed by."""

    day = models.DateField()
    region = models.CharField(max_length=30)
    architecture = models.CharField(max_length=10)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.REPORTS)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["day", "region", "architecture", "origin"], name="fleet_usage_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.region} {self.architecture}"
