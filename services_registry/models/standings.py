"""What each function came to over the usual time ranges, kept ready so that lists neither wait nor scan."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from services_registry.models.functions import Function


class FunctionStanding(models.Model):
    """One function over one preset range, and over the period before it. Refreshed by a task; never edited."""

    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="standings")
    range = models.CharField(max_length=4, help_text=_("a preset of core.timerange, for example 30d"))
    as_of = models.DateTimeField()
    invocations = models.BigIntegerField()
    errors = models.BigIntegerField()
    timeouts = models.BigIntegerField()
    cold_starts = models.BigIntegerField()
    max_memory_mb = models.PositiveIntegerField()
    p50 = models.FloatField(null=True, help_text=_("ms"))
    p95 = models.FloatField(null=True, help_text=_("ms"))
    p99 = models.FloatField(null=True, help_text=_("ms"))
    cost = models.DecimalField(max_digits=60, decimal_places=30, null=True, help_text=_("estimated USD, exact"))
    before_invocations = models.BigIntegerField(null=True, help_text=_("of the period of the same length before"))
    before_errors = models.BigIntegerField(null=True)
    before_timeouts = models.BigIntegerField(null=True)
    before_cost = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    spark = models.JSONField(default=list, help_text=_("invocations by step; null where nothing was measured"))
    throttles = models.BigIntegerField(
        null=True, help_text=_("refused calls, by CloudWatch's metrics; empty: not read")
    )
    from_metrics = models.BooleanField(
        default=False, help_text=_("no line came in: invocations and errors are CloudWatch's")
    )
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["range", "function"]
        constraints = [models.UniqueConstraint(fields=["range", "function"], name="standing_once")]

    def __str__(self) -> str:
        return f"{self.function_id} {self.range}"
