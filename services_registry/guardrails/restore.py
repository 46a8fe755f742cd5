"""Restoring a stopped function: what we changed goes back to what it was; what others changed meanwhile stays.

1. `preview_restore` reads AWS and compares: what is now, what will be, and what others changed since the stop.
2. `restore_function` gives back the reserved concurrency (none reserved differs from 0), then switches the mappings on
   that we switched off. Steps that fail are kept with their reason; the same deed again does what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import record
from core.aws import functions as aws
from core.aws.errors import AwsError, AwsNotFound
from services_registry.choices import StopState
from services_registry.function_changes import Change, readable_changes
from services_registry.guardrails.live import ON, Live
from services_registry.guardrails.stop import (
    StopError,
    active_stop,
    checked_reason,
    live_of,
    note_in_registry,
    state_of,
    states_of,
)
from services_registry.guardrails.telling import RESTORED, name_of, tell_stop
from services_registry.models import Function, FunctionRevision, StopRecord
from services_registry.registry import access_to

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the difference. `changes`: the restore does something here; `note` says why not, or what to mind."""

    what: _StrOrPromise
    now: str
    will_be: str
    changes: bool
    note: _StrOrPromise = ""
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class RestorePreview:
    """`elsewhere`: what differs in the function itself since the stop, for example new code."""

    record: StopRecord
    live: Live
    steps: list[Step]
    elsewhere: list[Change]

    @property
    def changes(self) -> list[Step]:
        return [step for step in self.steps if step.changes]


def preview_restore(function: Function) -> RestorePreview:
    """Read AWS and say what a restore would do; nothing is changed.

    Raises:
        StopError: we have not stopped it, it is gone, or AWS does not answer.
    """
    row = _stopped(function)
    live = live_of(function)
    return RestorePreview(row, live, _steps(row, live), _elsewhere(row, live))


def restore_function(function: Function, *, reason: str, actor: Any, source: str = "page") -> StopRecord:
    """Restore it, or go on with a restore that was not complete. What could not be done is in `problems`.

    A function that was restored already is left as it is.

    Raises:
        StopError: no reason was given, it was never stopped from here, it is gone, or AWS does not answer at all.
    """
    reason = checked_reason(reason)
    row = active_stop(function)
    if row is None:
        last = StopRecord.objects.filter(function=function).first()
        if last is not None:
            return last
    row = _stopped(function)
    live = live_of(function)
    _begin(row, function, live, reason=reason, actor=actor, source=source)
    problems = _give_back(row, function, live)
    return _finish(row, function, live, problems, actor=actor, source=source)


def _stopped(function: Function) -> StopRecord:
    row = active_stop(function)
    if row is None:
        words = _("This function was not stopped from here, so there is nothing on record to go back to.")
        raise StopError(words, code="not_stopped")
    return row


def _steps(row: StopRecord, live: Live) -> list[Step]:
    known = {mapping["uuid"] for mapping in row.mappings}
    later = [mapping for mapping in live.mappings if mapping["uuid"] not in known]
    return [
        _reserved_step(row, live),
        *(_mapping_step(mapping, live) for mapping in row.mappings),
        *(Step(mapping["source"], mapping["state"], mapping["state"], False,
               gettext_lazy("made after the stop: left as it is"), mapping["uuid"]) for mapping in later),
    ]  # fmt: skip


def _reserved_step(row: StopRecord, live: Live) -> Step:
    what, now = gettext_lazy("Reserved concurrency"), reserved_text(live.reserved)
    if not row.reserved_changed:
        return Step(what, now, now, False, gettext_lazy("was 0 before the stop: left as it is"))
    if row.reserved_restored or live.reserved == row.former_reserved:
        return Step(what, now, now, False, gettext_lazy("is as it was before"))
    if live.reserved != 0:
        note = _("set elsewhere since the stop (it was %(was)s before): left as it is")
        return Step(what, now, now, False, note % {"was": reserved_text(row.former_reserved)})
    return Step(what, now, reserved_text(row.former_reserved), True)


def _mapping_step(mapping: dict[str, Any], live: Live) -> Step:
    seen, uuid, source = live.mapping(mapping["uuid"]), mapping["uuid"], mapping["source"]
    if seen is None:
        return Step(source, _("gone"), _("gone"), False, gettext_lazy("deleted elsewhere since the stop"), uuid)
    state = seen["state"]
    if not mapping["changed"]:
        return Step(source, state, state, False, gettext_lazy("not switched off by us: left as it is"), uuid)
    if state == ON:
        return Step(source, state, state, False, gettext_lazy("is on already"), uuid)
    return Step(source, state, ON, True, "", uuid)


def _elsewhere(row: StopRecord, live: Live) -> list[Change]:
    changes = {
        name: [before, live.configuration[name]]
        for name, before in row.configuration.items()
        if name in live.configuration and live.configuration[name] != before
    }
    return readable_changes(FunctionRevision(changes=changes))


def reserved_text(reserved: int | None) -> str:
    return _("none reserved") if reserved is None else str(reserved)


@transaction.atomic
def _begin(row: StopRecord, function: Function, live: Live, *, reason: str, actor: Any, source: str) -> None:
    row.state, row.restore_reason, row.restored_by_name = StopState.RESTORING, reason, name_of(actor)
    row.save(update_fields=["state", "restore_reason", "restored_by_name"])
    record(
        actor=actor, verb="function.restoring", target=function, source=source, summary=function.name, reason=reason,
        before=state_of(live),
    )  # fmt: skip


def _give_back(row: StopRecord, function: Function, live: Live) -> list[str]:
    """Exactly the steps of the preview, each by itself and kept at once. What failed, in words."""
    region, access, problems = function.region, access_to(function), []
    for step in _steps(row, live):
        if not step.changes:
            continue
        try:
            if step.uuid:
                aws.switch_event_source(step.uuid, enabled=True, region=region, access=access)
                mapping = next(entry for entry in row.mappings if entry["uuid"] == step.uuid)
                mapping["restored"], mapping["note"] = True, ""
            else:
                aws.reserve_concurrency(function.name, row.former_reserved, region=region, access=access)
                row.reserved_restored = True
        except AwsNotFound as error:
            if not step.uuid:
                problems.append(str(error))  # a mapping that is gone needs nothing any more, a function does
        except AwsError as error:
            problems.append(_("%(what)s was not restored: %(why)s") % {"what": step.what, "why": error})
        row.save(update_fields=["reserved_restored", "mappings"])
    return problems


@transaction.atomic
def _finish(
    row: StopRecord, function: Function, live: Live, problems: list[str], *, actor: Any, source: str
) -> StopRecord:
    now = timezone.now().astimezone(UTC)
    on = {mapping["uuid"] for mapping in row.mappings if mapping["restored"]}
    sources = [mapping | ({"state": ON} if mapping["uuid"] in on else {}) for mapping in live.mappings]
    reserved = row.former_reserved if row.reserved_restored and live.reserved == 0 else live.reserved
    row.problems = problems
    if not problems:
        row.state, row.restored = StopState.RESTORED, now
    row.save(update_fields=["problems", "state", "restored"])
    row.function = note_in_registry(function, reserved, sources, by=name_of(actor), now=now)
    record(
        actor=actor, verb=RESTORED if not problems else "function.restored_in_part", target=function, source=source,
        summary=function.name, reason=row.restore_reason, before=state_of(live),
        after={"reserved_concurrency": reserved, "event_sources": states_of(sources), "problems": problems},
    )  # fmt: skip
    if not problems:
        tell_stop(row, RESTORED, actor=actor)
    return row
