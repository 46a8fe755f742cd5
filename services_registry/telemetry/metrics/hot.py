"""The hot set: functions read by the minute, because a person watches them or because they are the busiest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.audit import record
from services_registry.models import Function, FunctionStanding, HotFunction

MOST_HOURS = 7 * 24


def hot_ids() -> set[int]:
    """Marked by a person and not over yet, and the busiest of the last hour, as many as the settings say."""
    marked = set(HotFunction.objects.filter(until__gt=timezone.now()).values_list("function_id", flat=True))
    if not settings.METRIC_BUSIEST:
        return marked
    busiest = FunctionStanding.objects.filter(range="1h", sample=False, function__sample=False).order_by(
        "-invocations", "function_id"
    )
    return marked | set(busiest.values_list("function_id", flat=True)[: settings.METRIC_BUSIEST])


@transaction.atomic
def mark_hot(function: Function, *, hours: int, actor: Any, source: str) -> HotFunction:
    """Read its metrics by the minute for so many hours from now, at most a week."""
    until = timezone.now() + timedelta(hours=max(1, min(MOST_HOURS, hours)))
    row, _new = HotFunction.objects.update_or_create(
        function=function,
        defaults={"until": until, "marked": timezone.now(), "marked_by_name": actor.get_username()},
    )
    record(
        actor=actor, verb="function.hot", target=function, source=source, summary=function.name,
        after={"until": until.isoformat()},
    )  # fmt: skip
    return row


@transaction.atomic
def cool(function: Function, *, actor: Any, source: str) -> bool:
    """No longer by the minute. False when it was not marked."""
    gone, _rows = HotFunction.objects.filter(function=function).delete()
    if gone:
        record(actor=actor, verb="function.cooled", target=function, source=source, summary=function.name)
    return bool(gone)
