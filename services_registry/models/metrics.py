"""What CloudWatch counted of each function, beside what its log lines say. Hours and days are UTC."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.models.functions import Function


class MetricFields(models.Model):
    """CloudWatch's numbers for one period. What it restates later replaces what was read before."""

    invocations = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0, help_text=_("time-outs included, throttles not"))
    throttles = models.BigIntegerField(default=0, help_text=_("refused calls, counted in neither of the others"))
    duration_ms = models.FloatField(default=0, help_text=_("sum"))
    duration_max_ms = models.FloatField(null=True, blank=True)
    concurrency = models.PositiveIntegerField(null=True, blank=True, help_text=_("most at once"))

    class Meta:
        abstract = True


class MetricHour(MetricFields):
    """An hour without a row is one of which CloudWatch has no point: a gap, not a zero."""

    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="metric_hours")
    hour = models.DateTimeField()

    class Meta:
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["function", "hour"], name="metric_hour_once")]
        indexes = [models.Index(fields=["hour"], name="metric_hour_by_time")]

    def __str__(self) -> str:
        return f"{self.function_id} {self.hour:%Y-%m-%d %H}"


class MetricMinute(MetricFields):
    """For the hot set only; kept for some days."""

    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="metric_minutes")
    minute = models.DateTimeField()

    class Meta:
        ordering = ["minute"]
        constraints = [models.UniqueConstraint(fields=["function", "minute"], name="metric_minute_once")]
        indexes = [models.Index(fields=["minute"], name="metric_minute_by_time")]

    def __str__(self) -> str:
        return f"{self.function_id} {self.minute:%Y-%m-%d %H:%M}"


class MetricDay(MetricFields):
    """A day held against our own count, over the same hours of it: those that CloudWatch was asked about."""

    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="metric_days")
    day = models.DateField()
    ours = models.BigIntegerField(null=True, help_text=_("invocations by REPORT lines; empty: no line came in"))
    our_errors = models.BigIntegerField(null=True)
    until = models.DateTimeField(help_text=_("the hours before are compared"))

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["function", "day"], name="metric_day_once")]
        indexes = [models.Index(fields=["day", "function"], name="metric_day_by_time")]

    def __str__(self) -> str:
        return f"{self.function_id} {self.day}"


class MetricPlace(models.Model):
    """How far the metrics of one account and region have been read."""

    account = models.CharField(max_length=12)
    region = models.CharField(max_length=30)
    since = models.DateTimeField(null=True, help_text=_("the first hour asked about"))
    until = models.DateTimeField(null=True, help_text=_("every hour before has been asked about"))
    checked = models.DateTimeField(null=True)
    minutes_checked = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["account", "region"]
        constraints = [models.UniqueConstraint(fields=["account", "region"], name="metric_place_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.region}"


class HotFunction(models.Model):
    """A function that somebody watches by the minute, until some time."""

    function = models.OneToOneField(Function, on_delete=models.CASCADE, primary_key=True, related_name="hot")
    until = models.DateTimeField()
    marked = models.DateTimeField(default=timezone.now)
    marked_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["until"]

    def __str__(self) -> str:
        return f"{self.function_id} until {self.until:%Y-%m-%d %H:%M}"
