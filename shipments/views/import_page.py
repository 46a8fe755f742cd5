"""What the pages of an import show: its mapping form, its progress in numbers and words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.formats import duration_ms_text
from shipments.choices import TONES, ImportState
from shipments.deliveries.mapping import Meanings, fields
from shipments.deliveries.runs import imported_before
from shipments.deliveries.sample_of import Line, Proposal, Sample, complaint_about, lines_of
from shipments.models import Carrier, ImportRun

OPEN = (ImportState.QUEUED, ImportState.RUNNING)
SHOWN_PROBLEMS = 12
SHOWN_LINES = 5
GUESS_FROM = 0.02
"""No time left is guessed before so much of the file is done."""
PATIENT_AFTER_S = 60
"""From then on the page looks less often."""


class MappingForm(forms.Form):
    """One choice per column of the file, and the carrier of all rows when no column names it."""

    carrier = forms.ModelChoiceField(
        Carrier.objects.filter(active=True),
        required=False,
        label=gettext_lazy("Carrier of all rows"),
        help_text=gettext_lazy("Only when no column names it."),
        empty_label=gettext_lazy("a column names it"),
    )

    def __init__(self, sample: Sample, meanings: Meanings, data: Any = None) -> None:
        super().__init__(data, initial={"carrier": meanings.carrier}, auto_id="id_%s")
        self._sample = sample
        choices = [("", _("leave out")), *((name, name.replace("_", " ")) for name in fields())]
        for place, column in enumerate(sample.columns):
            self.fields[f"c{place}"] = forms.ChoiceField(
                choices=choices, required=False, label=column, initial=meanings.field_of(column)
            )
            self.fields[f"c{place}"].widget.attrs["aria-label"] = _("What “%s” means") % column

    def columns(self) -> list[Any]:
        return [self[f"c{place}"] for place in range(len(self._sample.columns))]

    def meanings(self) -> Meanings:
        """As chosen. Call it after `is_valid`; what was not understood counts as left out."""
        chosen = self.cleaned_data
        columns = {name: chosen.get(f"c{place}") or "" for place, name in enumerate(self._sample.columns)}
        return Meanings(columns, chosen.get("carrier"))


def preview_context(run: ImportRun, sample: Sample, form: MappingForm, meanings: Meanings) -> dict[str, Any]:
    """The first rows as they would be taken with these meanings."""
    lines = lines_of(sample, meanings)
    return {
        "run": run,
        "form": form,
        "lines": lines,
        "width": len(sample.columns),
        "problems": _problems(lines),
        "bad": sum(bool(line.problems) for line in lines),
        "left_out": [name for name in sample.columns if not meanings.field_of(name)],
        "complaint": complaint_about(sample, meanings),
    }


def head_context(run: ImportRun, sample: Sample, proposal: Proposal) -> dict[str, Any]:
    """What stays while somebody chooses."""
    return {"sample": sample, "mapping": proposal.mapping, "before": imported_before(run)}


def _problems(lines: list[Line]) -> list[dict[str, Any]]:
    """Each problem once, with the lines that have it."""
    found: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        for problem in line.problems:
            found.setdefault((problem.field, problem.why), []).append(line.number)
    return [
        {"lines": numbers[:SHOWN_LINES], "more": max(0, len(numbers) - SHOWN_LINES), "field": field, "why": why}
        for (field, why), numbers in list(found.items())[:SHOWN_PROBLEMS]
    ]


def live_context(run: ImportRun) -> dict[str, Any]:
    """The part that is fetched again until the run is final."""
    now = timezone.now()
    final = run.state not in OPEN
    share = min(1.0, run.bytes_done / run.bytes_total) if run.bytes_total else 0.0
    percent = 100 if run.state == ImportState.DONE else min(99, int(share * 100))
    return {
        "run": run,
        "final": final,
        "watched": run.state in OPEN,
        "tone": tone_of(run),
        "percent": percent,
        "elapsed": _elapsed(run, now),
        "eta": "" if final else _eta(run, share, now),
        "poll_s": 1 if run.started is None or (now - run.started).total_seconds() < PATIENT_AFTER_S else 5,
        "said": said_of(run) if final else "",
        "can_retry": run.state == ImportState.FAILED,
    }


def tone_of(run: ImportRun) -> str:
    """Finished is green only when no row was refused."""
    if run.state == ImportState.DONE and run.refused_count:
        return "yellow"
    return TONES.get(run.state, "secondary")


def said_of(run: ImportRun) -> str:
    """The result, to be announced."""
    if run.state == ImportState.FAILED:
        return run.problem
    taken = run.created_count + run.updated_count + run.unchanged_count
    words = ngettext("Import finished: %(n)s row taken over", "Import finished: %(n)s rows taken over", taken)
    return (words + (_(", %(refused)s refused") if run.refused_count else "")) % {
        "n": f"{taken:,}",
        "refused": f"{run.refused_count:,}",
    }


def _elapsed(run: ImportRun, now: datetime) -> str:
    if run.started is None:
        return ""
    end = run.finished or now
    text = duration_ms_text((end - run.started).total_seconds() * 1000)
    return (_("after %s") if run.finished else _("for %s")) % text


def _eta(run: ImportRun, share: float, now: datetime) -> str:
    if run.started is None or share < GUESS_FROM:
        return ""
    left = (now - run.started).total_seconds() * (1 - share) / share
    return _("about %s left") % duration_ms_text(max(1, round(left)) * 1000).replace(".0 s", " s")
