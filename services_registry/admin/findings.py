"""Findings and stops to read, limits of rules to change; every change of a limit is on the audit trail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from services_registry.admin.batches import ReadOnlyAdmin
from services_registry.admin.operations import AuditedAdmin
from services_registry.guardrails.rule import rules
from services_registry.models import Finding, RuleThreshold, StopRecord


class RuleThresholdForm(forms.ModelForm[RuleThreshold]):
    """Only limits that a rule really has."""

    rule = forms.ChoiceField(choices=lambda: [(slug, str(rule.title)) for slug, rule in rules().items()])
    name = forms.ChoiceField(
        choices=lambda: sorted(
            {(row.name, f"{row.name}: {row.label}") for r in rules().values() for row in r.all_thresholds}
        )
    )

    class Meta:
        model = RuleThreshold
        fields = ["rule", "name", "value", "valid_from", "source"]

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for a limit that the rule does not have, or below zero."""
        given: dict[str, Any] = super().clean() or {}
        rule, name, value = rules().get(given.get("rule", "")), given.get("name"), given.get("value")
        if rule and name and name not in {row.name for row in rule.all_thresholds}:
            raise ValidationError({"name": _("This rule has no such limit.")})
        if value is not None and value < 0:
            raise ValidationError({"value": _("At least 0.")})
        return given


@admin.register(RuleThreshold)
class RuleThresholdAdmin(AuditedAdmin):
    form = RuleThresholdForm
    audit_noun = "threshold"
    list_display = ["rule", "name", "value", "valid_from", "source"]
    list_filter = ["rule"]


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = ["rule", "function", "state", "severity", "money_usd", "opened", "last_seen", "snoozed_until"]
    list_filter = ["state", "rule", "severity", "sample"]
    list_select_related = ["function"]
    search_fields = ["function__name"]


@admin.register(StopRecord)
class StopRecordAdmin(ReadOnlyAdmin):
    list_display = [
        "function",
        "state",
        "reason",
        "stopped_by_name",
        "began",
        "stopped",
        "restored_by_name",
        "restored",
    ]
    list_filter = ["state"]
    list_select_related = ["function"]
    search_fields = ["function__name", "reason"]
