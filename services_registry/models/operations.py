"""What an administrator sets about running batches: schedules, freeze windows, the limit over everything."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.choices import Priority, RunResult

SINGLETON = 1


class EngineSettings(models.Model):
    """One row: what holds for all batches together. Read before every hand-out, so a change works at once."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    concurrency = models.PositiveIntegerField(
        default=100, help_text=_("most invocations at once from this dashboard, over all functions; 0 holds everything")
    )

    class Meta:
        verbose_name_plural = _("engine settings")

    def __str__(self) -> str:
        return f"at most {self.concurrency} invocations at once"

    @classmethod
    def current(cls) -> "EngineSettings":
        """The row, or its defaults while nobody has changed them."""
        return cls.objects.filter(pk=SINGLETON).first() or cls()


class FreezeWindow(models.Model):
    """A time in which changes should rest. Batches planned inside it carry a warning; nothing is blocked."""

    name = models.CharField(max_length=100)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["starts"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="freeze_has_length")
        ]

    def __str__(self) -> str:
        return self.name


class BatchSchedule(models.Model):
    """A batch that starts by itself, again and again, and never while its last one is still going."""

    name = models.CharField(max_length=120, unique=True)
    capability = models.CharField(max_length=60)
    selection = models.JSONField(
        default=dict, help_text=_('what to work on, for example {"query": {"status": "delivered"}}')
    )
    context = models.JSONField(default=dict, blank=True, help_text=_("options for the whole batch; no secrets"))
    every_minutes = models.PositiveIntegerField(default=120, validators=[MinValueValidator(1)])
    jitter_seconds = models.PositiveIntegerField(
        default=60, help_text=_("up to so much later, by chance, so that schedules do not all start together")
    )
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.LOW)
    active = models.BooleanField(default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    next_run = models.DateTimeField(default=timezone.now, db_index=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ScheduleRun(models.Model):
    """One time a schedule came up: the batch it started, or why it did not."""

    schedule = models.ForeignKey(BatchSchedule, on_delete=models.CASCADE, related_name="runs")
    due = models.DateTimeField()
    at = models.DateTimeField(default=timezone.now)
    result = models.CharField(max_length=12, choices=RunResult)
    note = models.CharField(max_length=300, blank=True)
    batch = models.ForeignKey("services_registry.Batch", null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["-due", "-id"]
        constraints = [models.UniqueConstraint(fields=["schedule", "due"], name="schedule_run_once")]

    def __str__(self) -> str:
        return f"{self.schedule} {self.due:%Y-%m-%d %H:%M}"
