"""What people keep about functions by hand: owner, capability, runbook, notes. A sync never overwrites them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from core.audit import record
from services_registry.models import Function

FIELDS = ("owner", "capability", "runbook", "notes")


@transaction.atomic
def change_hand_kept(functions: Iterable[Function], values: dict[str, str], *, actor: Any, source: str = "page") -> int:
    """Set these fields on all of them, each with its audit entry; how many differed. Twice changes nothing.

    Raises:
        KeyError: a field that is not kept by hand.
    """
    if unknown := set(values) - set(FIELDS):
        raise KeyError(", ".join(sorted(unknown)))
    rows = Function.objects.select_for_update().filter(pk__in=[function.pk for function in functions]).order_by("pk")
    changed = 0
    for row in rows:
        before = {name: getattr(row, name) for name in values if getattr(row, name) != values[name]}
        if not before:
            continue
        after = {name: values[name] for name in before}
        Function.objects.filter(pk=row.pk).update(**after)
        record(
            actor=actor, verb="function.kept", target=row, source=source, summary=row.name, before=before, after=after
        )
        changed += 1
    return changed
