"""Stopping a function: nothing new begins. No API of AWS ends a call that runs (AWS documentation, read 2026-11-23).

1. `preview_stop` reads AWS and says what will be changed, what is lost and what runs on until when. It changes nothing.
2. `stop_function` remembers what was there in a `StopRecord`, then sets the reserved concurrency to 0, then switches the
   event source mappings off, one call each. A step that fails is kept with its reason and does not hinder the others;
   the same deed again does what is missing. Doing it to a stopped function changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.aws import functions as aws
from core.aws.errors import AwsError
from core.errors import RefusedError
from services_registry.choices import ACTIVE_STOPS, StopState
from services_registry.guardrails.consequences import Consequence, consequences_of
from services_registry.guardrails.live import ON, Live, read_live
from services_registry.guardrails.running import Running, running_now
from services_registry.guardrails.telling import STOPPED, name_of, tell_stop
from services_registry.models import Function, FunctionRevision, StopRecord
from services_registry.registry import access_to


class StopError(RefusedError):
    """It cannot be stopped or restored like this."""

    code = "stop"


@dataclass(frozen=True, slots=True)
class StopPreview:
    """What a stop would do now. `record` is a stop of ours that still stands; `missing` says that it is not complete."""

    function: Function
    live: Live
    running: Running
    consequences: list[Consequence]
    to_switch_off: list[dict[str, Any]] = field(default_factory=list)
    off_already: list[dict[str, Any]] = field(default_factory=list)
    record: StopRecord | None = None

    @property
    def sets_reserved(self) -> bool:
        return self.live.reserved != 0

    @property
    def nothing_to_do(self) -> bool:
        return not self.sets_reserved and not self.to_switch_off


def active_stop(function: Function) -> StopRecord | None:
    """The stop of ours that still stands, whole or in part."""
    return StopRecord.objects.filter(function=function, state__in=ACTIVE_STOPS).first()


def preview_stop(function: Function) -> StopPreview:
    """Read AWS and say what a stop would do; nothing is changed.

    Raises:
        StopError: the function is gone, or AWS does not answer.
    """
    live = live_of(function)
    running = running_now(function, live.timeout_s, timezone.now())
    return StopPreview(
        function, live, running, consequences_of(function, live),
        [mapping for mapping in live.mappings if mapping["state"] == ON],
        [mapping for mapping in live.mappings if mapping["state"] != ON],
        active_stop(function),
    )  # fmt: skip


def stop_function(function: Function, *, reason: str, actor: Any, source: str = "page") -> StopRecord:
    """Stop it, or go on with a stop that was not complete. What could not be done is in `problems` of the record.

    Raises:
        StopError: no reason was given, it is being restored, it is gone, or AWS does not answer at all.
    """
    reason = checked_reason(reason)
    row = active_stop(function)
    if row is not None and row.state == StopState.RESTORING:
        words = _("A restore of this function is not complete. Finish it first, then stop it again.")
        raise StopError(words, code="restoring")
    if row is not None and row.state == StopState.STOPPED:
        return row
    live = live_of(function)
    row = row or _begin(function, live, reason=reason, actor=actor, source=source)
    row.mappings += [_remembered(mapping) for mapping in live.mappings if mapping["uuid"] not in _known(row)]
    problems = _switch_off(row, function, live)
    return _finish(row, function, live, problems, actor=actor, source=source)


def live_of(function: Function) -> Live:
    """What AWS says now. Raises StopError where it does not say anything."""
    if function.gone:
        raise StopError(_("AWS does not have this function any more."), code="gone")
    try:
        return read_live(function)
    except AwsError as error:
        raise StopError(_("Nothing was changed: %(why)s") % {"why": error}, code="aws") from error


def checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise StopError(_("Say why, for whoever looks next."), code="reason", fields={"reason": [_("required")]})
    return reason[:300]


def _begin(function: Function, live: Live, *, reason: str, actor: Any, source: str) -> StopRecord:
    """Remember what is there, before the first call. Of two at once the second joins the first."""
    now = timezone.now()
    try:
        with transaction.atomic():
            row = StopRecord.objects.create(
                function=function, reason=reason, stopped_by=actor if getattr(actor, "pk", None) else None,
                stopped_by_name=name_of(actor), began=now, quiet_at=now + timedelta(seconds=live.timeout_s),
                former_reserved=live.reserved, configuration=live.configuration,
                mappings=[_remembered(mapping) for mapping in live.mappings],
            )  # fmt: skip
            record(
                actor=actor, verb="function.stopping", target=function, source=source, summary=function.name,
                reason=reason, before=state_of(live),
            )  # fmt: skip
    except IntegrityError:
        known = active_stop(function)
        if known is None:
            raise
        return known
    return row


def _remembered(mapping: dict[str, Any]) -> dict[str, Any]:
    facts = {"uuid": mapping["uuid"], "source": mapping["source"], "before": mapping["state"]}
    return facts | {"changed": False, "restored": False, "note": ""}


def _known(row: StopRecord) -> set[str]:
    return {mapping["uuid"] for mapping in row.mappings}


def _switch_off(row: StopRecord, function: Function, live: Live) -> list[str]:
    """Every step by itself; each success is kept at once. What failed, in words.

    What is off now but was on when we began was switched off by us, by an attempt that broke off before it said so.
    """
    region, access, problems = function.region, access_to(function), []
    if live.reserved == 0:
        row.reserved_changed = row.former_reserved != 0
        row.save(update_fields=["reserved_changed"])
    else:
        try:
            aws.reserve_concurrency(function.name, 0, region=region, access=access)
        except AwsError as error:
            problems.append(_("Reserved concurrency was not set to 0: %(why)s") % {"why": error})
        else:
            row.reserved_changed = True
            row.save(update_fields=["reserved_changed"])
    for mapping in row.mappings:
        seen = live.mapping(mapping["uuid"])
        if seen is None or seen["state"] != ON:
            mapping["changed"] = seen is not None and mapping["before"] == ON
            continue
        try:
            aws.switch_event_source(mapping["uuid"], enabled=False, region=region, access=access)
        except AwsError as error:
            mapping["note"] = str(error)[:300]
            problems.append(_("The mapping from %(source)s was not switched off: %(why)s") % {
                "source": mapping["source"], "why": error})  # fmt: skip
        else:
            mapping["changed"], mapping["note"] = True, ""
        row.save(update_fields=["mappings"])
    row.save(update_fields=["mappings"])
    return problems


@transaction.atomic
def _finish(
    row: StopRecord, function: Function, live: Live, problems: list[str], *, actor: Any, source: str
) -> StopRecord:
    """What came of it: record, registry row, revision and audit entry together."""
    now = timezone.now()
    off = {mapping["uuid"] for mapping in row.mappings if mapping["changed"]}
    sources = [mapping | ({"state": "Disabled"} if mapping["uuid"] in off else {}) for mapping in live.mappings]
    reserved = 0 if row.reserved_changed or live.reserved == 0 else live.reserved
    row.problems = problems
    if not problems:
        row.state, row.stopped = StopState.STOPPED, now
        row.quiet_at = now + timedelta(seconds=live.timeout_s)
    row.save(update_fields=["problems", "state", "stopped", "quiet_at"])
    row.function = note_in_registry(function, reserved, sources, by=name_of(actor), now=now)
    record(
        actor=actor, verb=STOPPED if not problems else "function.stopped_in_part", target=function, source=source,
        summary=function.name, reason=row.reason, before=state_of(live),
        after={"reserved_concurrency": reserved, "event_sources": states_of(sources), "problems": problems},
    )  # fmt: skip
    if not problems:
        tell_stop(row, STOPPED, actor=actor)
    return row


def note_in_registry(
    function: Function, reserved: int | None, sources: list[dict[str, Any]], *, by: str, now: datetime
) -> Function:
    """The registry knows at once, with a revision that says by whom; the next sync finds nothing new."""
    known = Function.objects.select_for_update().get(pk=function.pk)
    changes = {
        name: [getattr(known, name), value]
        for name, value in (("reserved_concurrency", reserved), ("event_sources", sources))
        if getattr(known, name) != value
    }
    known.reserved_concurrency, known.event_sources = reserved, sources
    known.save(update_fields=["reserved_concurrency", "event_sources"])
    if changes:
        FunctionRevision.objects.create(function=known, changed=now, by=by, changes=changes)
    return known


def state_of(live: Live) -> dict[str, Any]:
    """For the audit trail."""
    return {"reserved_concurrency": live.reserved, "event_sources": states_of(live.mappings)}


def states_of(mappings: list[dict[str, Any]]) -> dict[str, str]:
    return {mapping["uuid"]: mapping["state"] for mapping in mappings}
