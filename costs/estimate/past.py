"""How functions were configured on a day: a new configuration never rewrites what the old one cost."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services_registry.models import Function, FunctionRevision

PRICED = ("architecture", "ephemeral_mb", "memory_mb", "provisioned")
"""What the price of a call or of a warm environment depends on."""


class PastFacts:
    """Configurations since a day. One query when made; the day of a change counts as after it."""

    def __init__(self, since: date) -> None:
        self._changes: defaultdict[tuple[int, str], list[tuple[date, Any]]] = defaultdict(list)
        day_after = datetime.combine(since + timedelta(days=1), time(), UTC)
        rows = FunctionRevision.objects.filter(seen__gte=day_after, changes__has_any_keys=PRICED).order_by("seen", "pk")
        for function_id, seen, changes in rows.values_list("function_id", "seen", "changes"):
            for name in PRICED:
                if name in changes:
                    before = changes[name][0]
                    self._changes[function_id, name].append((seen.astimezone(UTC).date(), before))

    def on(self, function: Function, name: str, day: date) -> Any:
        """The value of one of `PRICED` on a day: what the next change after it replaced, else today's."""
        for changed, before in self._changes.get((function.pk, name), ()):
            if day < changed:
                return before
        return getattr(function, name)

    def ever(self, function: Function, name: str) -> bool:
        """Whether it has that fact now, or had it since the day."""
        return bool(getattr(function, name) or self._changes.get((function.pk, name)))
