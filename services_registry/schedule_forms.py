"""Forms around schedules: a schedule as the admin edits it, and the limit over everything."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import RefusedError
from services_registry import capabilities
from services_registry.batches.schedules import LARGEST_JITTER, items_meant
from services_registry.models import BatchSchedule, FreezeWindow

MOST_CONCURRENCY = 100_000


def _work() -> list[tuple[str, str]]:
    return [(kind.slug, str(kind.label)) for kind in capabilities.all_capabilities()]


class BatchScheduleForm(forms.ModelForm[BatchSchedule]):
    """Checks that the selection can be resolved now; `means` is then how many items it holds at the moment."""

    capability = forms.ChoiceField(choices=_work, label=_("Work"))
    means: int | None = None

    class Meta:
        model = BatchSchedule
        fields = [
            "name", "capability", "selection", "context", "every_minutes", "jitter_seconds", "priority", "active",
            "owner", "next_run",
        ]  # fmt: skip

    def clean_selection(self) -> dict[str, Any]:
        return _object(self.cleaned_data["selection"])

    def clean_context(self) -> dict[str, Any]:
        return _object(self.cleaned_data["context"] or {})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self._check_jitter(cleaned)
        if "capability" in cleaned and "selection" in cleaned:
            try:
                self.means = items_meant(cleaned["capability"], cleaned["selection"], cleaned.get("context"))
            except RefusedError as refusal:
                self.add_error("selection", refusal.message)
        return cleaned

    def _check_jitter(self, cleaned: dict[str, Any]) -> None:
        jitter, minutes = cleaned.get("jitter_seconds"), cleaned.get("every_minutes")
        if jitter and minutes and jitter * LARGEST_JITTER > minutes * 60:
            most = minutes * 60 // LARGEST_JITTER
            self.add_error("jitter_seconds", _("At most a third of the interval: %(most)d seconds.") % {"most": most})


class FreezeWindowForm(forms.ModelForm[FreezeWindow]):
    class Meta:
        model = FreezeWindow
        fields = ["name", "starts", "ends", "reason"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "starts" in cleaned and "ends" in cleaned and cleaned["ends"] <= cleaned["starts"]:
            self.add_error("ends", _("It must end after it starts."))
        return cleaned


class EngineLimitForm(forms.Form):
    """The limit over everything, with the reason that goes into the audit trail."""

    concurrency = forms.IntegerField(
        label=_("Most invocations at once"),
        min_value=0,
        max_value=MOST_CONCURRENCY,
        help_text=_("Over all functions and batches. 0 holds everything; nothing is lost."),
    )
    reason = forms.CharField(label=_("Why"), max_length=300, help_text=_("Kept in the audit trail."))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise forms.ValidationError(_("This must be a JSON object."))
    return value
