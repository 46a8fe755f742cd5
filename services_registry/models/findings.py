"""Findings of the guardrails, their thresholds, and functions that were stopped."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.choices import ACTIVE_STOPS, FindingState, Severity, StopState
from services_registry.models.functions import Function


class Finding(models.Model):
    """What one rule says about one function. One row for each pair, for ever: it opens, closes and opens again.

        open ──snooze──► snoozed ──its time is over, or it got markedly worse──► open
        open, snoozed ──evidence gone──► closed ──evidence back──► open (snoozed while a snooze still lasts)

    Only `guardrails.evaluate` and `guardrails.snoozing` change it.
    """

    rule = models.SlugField(max_length=60)
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="findings")
    state = models.CharField(max_length=10, choices=FindingState, default=FindingState.OPEN)
    severity = models.CharField(max_length=10, choices=Severity)
    measure = models.FloatField(help_text=_("how bad it is, in the rule's own unit; larger is worse"))
    money_usd = models.DecimalField(
        max_digits=60, decimal_places=30, null=True, blank=True,
        help_text=_("estimated USD a month at stake, exact; empty: not known or not about money"),
    )  # fmt: skip
    evidence = models.JSONField(default=dict, help_text=_("numbers, days, sample size, thresholds used"))
    sample = models.BooleanField(default=False, help_text=_("rests on sample data, not on the company's own"))
    opened = models.DateTimeField(default=timezone.now, help_text=_("the last time it opened"))
    last_seen = models.DateTimeField(default=timezone.now, help_text=_("when its evidence was last found to hold"))
    closed = models.DateTimeField(null=True, blank=True)
    reopened = models.PositiveIntegerField(default=0, help_text=_("how often it opened again"))
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snooze_reason = models.CharField(max_length=300, blank=True)
    snoozed_by_name = models.CharField(max_length=150, blank=True)
    snoozed_measure = models.FloatField(null=True, blank=True, help_text=_("how bad it was when it was snoozed"))

    class Meta:
        ordering = ["-opened", "-id"]
        constraints = [models.UniqueConstraint(fields=["rule", "function"], name="finding_once")]
        indexes = [models.Index(fields=["state", "-money_usd", "-id"], name="finding_by_money")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.function}"


class RuleThreshold(models.Model):
    """A rule's limit from a day on. Without a row its own default holds, which has a day and a source as well."""

    rule = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    value = models.DecimalField(max_digits=24, decimal_places=6)
    valid_from = models.DateField(help_text=_("UTC; the latest day that has come holds"))
    source = models.CharField(max_length=300, help_text=_("where it comes from, or who decided it and why"))

    class Meta:
        ordering = ["rule", "name", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["rule", "name", "valid_from"], name="threshold_once_a_day")]

    def __str__(self) -> str:
        return f"{self.rule} {self.name} {self.value.normalize():f} from {self.valid_from}"


class StopRecord(models.Model):
    """One stop of a function and its restore: what was there before, what we changed, and what could not be changed.

        stopping ──every step done──► stopped ──► restoring ──every step done──► restored

    In `stopping` and `restoring` a step failed or the process broke off: the same deed again continues it.
    """

    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="stops")
    state = models.CharField(max_length=10, choices=StopState, default=StopState.STOPPING)
    reason = models.CharField(max_length=300)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    stopped_by_name = models.CharField(max_length=150, blank=True)
    began = models.DateTimeField(default=timezone.now)
    stopped = models.DateTimeField(null=True, blank=True, help_text=_("when the last step was done"))
    quiet_at = models.DateTimeField(help_text=_("when the last call that was running then must be over"))
    former_reserved = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("reserved concurrency before; empty: none reserved, which is not 0")
    )
    reserved_changed = models.BooleanField(default=False, help_text=_("we set it to 0"))
    reserved_restored = models.BooleanField(default=False)
    mappings = models.JSONField(
        default=list, help_text=_("[{uuid, source, before, changed, restored, note}]: event source mappings")
    )
    configuration = models.JSONField(default=dict, help_text=_("what was deployed when it was stopped"))
    problems = models.JSONField(default=list, help_text=_("what could not be done at the last attempt"))
    restore_reason = models.CharField(max_length=300, blank=True)
    restored_by_name = models.CharField(max_length=150, blank=True)
    restored = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["function"], condition=models.Q(state__in=ACTIVE_STOPS), name="stop_active_once"
            )
        ]
        permissions = [("stop_function", _("Can stop and restore functions"))]

    def __str__(self) -> str:
        return f"{self.function} {self.get_state_display()}"
