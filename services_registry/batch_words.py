"""How a batch, a chunk and an item are put into words and tones on the pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import formats
from services_registry import capabilities
from services_registry.batches.progress import Pace, Progress
from services_registry.choices import TONES, BatchState, ChunkState
from services_registry.models import Batch, Chunk

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    from services_registry.batches import UnderWay

# The last part of the audit entry's verb.
DEEDS: dict[str, _StrOrPromise] = {
    "started": gettext_lazy("started"),
    "paused": gettext_lazy("paused"),
    "resumed": gettext_lazy("resumed"),
    "adjusted": gettext_lazy("adjusted"),
    "halted": gettext_lazy("halted"),
    "cancelled": gettext_lazy("cancelled"),
}


def deed(verb: str) -> str:
    name = verb.rpartition(".")[2]
    return str(DEEDS.get(name, name))


def work_label(slug: str) -> str:
    """What kind of work, as people call it."""
    known = {kind.slug: str(kind.label) for kind in capabilities.all_capabilities()}
    return known.get(slug, slug) or _("single run")


def batch_tone(batch: Batch) -> str:
    """Finished is green only when nothing failed."""
    if batch.state == BatchState.DONE and batch.failed:
        return "yellow" if batch.succeeded else "red"
    return TONES.get(batch.state, "secondary")


def clock(at: datetime) -> str:
    """The time of day, with the date when it is another day."""
    local, today = timezone.localtime(at), timezone.localdate()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")


def elapsed(progress: Progress) -> str:
    time = formats.duration_ms_text(round(progress.elapsed_s, 1) * 1000)
    return (_("after %s") if progress.final else _("for %s")) % time


def changes(before: Any, after: Any) -> list[str]:
    """`concurrency 4 → 8` for each value that an audit entry changed."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return []
    changed = [name for name in after if name in before and before[name] != after[name]]
    return [f"{name} {_said(before[name])} → {_said(after[name])}" for name in changed]


def _said(value: Any) -> str:
    return formats.NO_VALUE if value is None else str(value)


def remaining(progress: Progress, now: datetime) -> str:
    """`about 3 min left, until 02:14:05`; empty while nobody can know."""
    if progress.eta_s is None:
        return ""
    seconds = max(1, round(progress.eta_s))
    until = clock(now + timedelta(seconds=seconds))
    return _("about %(time)s left, until %(clock)s") % {
        "time": formats.duration_ms_text(seconds * 1000),
        "clock": until,
    }


def speed(per_second: float | None) -> str:
    """`12.5 items/s`; slow ones by the minute or the hour."""
    if not per_second:
        return formats.NO_VALUE
    for rate, words in ((per_second, _("%s items/s")), (per_second * 60, _("%s items/min"))):
        if rate >= 1:
            return words % (f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}")
    return _("%s items/h") % f"{per_second * 3600:.1f}"


def pace_words(pace: Pace) -> str:
    return _("%(speed)s over the last %(time)s") % {
        "speed": speed(pace.per_second),
        "time": formats.duration_ms_text(round(pace.window_s) * 1000),
    }


def quiet(busy: UnderWay) -> str:
    """`3 invocations are under way and end by themselves, at 02:14:05 at the latest.`"""
    if not busy.count:
        return _("nothing is under way.")
    said = (
        ngettext(
            "%d invocation is under way and ends by itself",
            "%d invocations are under way and end by themselves",
            busy.count,
        )
        % busy.count
    )
    return said + (_(", at %s at the latest.") % clock(busy.quiet_at) if busy.quiet_at else ".")


def verdict(chunk: Chunk, now: datetime) -> tuple[str, str]:
    """(words, tone). An answer alone is no success: the words say how many of its items failed."""
    if chunk.state == ChunkState.DONE:
        return _answered(chunk)
    if chunk.state == ChunkState.FAILED and not chunk.items_total:
        return _("%s, then divided") % chunk.get_outcome_display(), "secondary"
    if chunk.state == ChunkState.FAILED:
        return chunk.get_outcome_display() or chunk.get_state_display(), TONES.get(chunk.outcome) or "red"
    if chunk.state == ChunkState.QUEUED and chunk.not_before and chunk.not_before > now:
        return _("put off by AWS, next try %s") % clock(chunk.not_before), "yellow"
    if chunk.state == ChunkState.QUEUED and chunk.attempt:
        return _("to be sent again"), "yellow"
    tones = {ChunkState.RUNNING.value: "blue", ChunkState.CHECKING.value: "yellow"}
    return chunk.get_state_display(), tones.get(chunk.state, "secondary")


def _answered(chunk: Chunk) -> tuple[str, str]:
    failed, total = chunk.items_failed, chunk.items_total
    if not failed:
        return _("succeeded"), "green"
    if failed >= total:
        words = ngettext("answered, its item failed", "answered, all %d items failed", total)
        return (words % total if total > 1 else words), "red"
    return _("answered, %(failed)d of %(total)d items failed") % {"failed": failed, "total": total}, "yellow"
