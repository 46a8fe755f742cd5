"""Who calls a function, as far as this dashboard and AWS's configuration know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from services_registry.models import Batch, BatchSchedule, CapabilityBinding, Function

RECENT = timedelta(days=30)
LOOKED_AT = 500
"""Of the latest batches, so that a busy function costs no more than a quiet one."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Callers:
    """`people`: who or what started the latest batches, with how many; `looked_at`: how many batches those are."""

    capabilities: list[CapabilityBinding] = field(default_factory=list)
    schedules: list[BatchSchedule] = field(default_factory=list)
    people: list[tuple[str, str, int]] = field(default_factory=list)
    looked_at: int = 0
    sources: list[dict[str, Any]] = field(default_factory=list)
    policy: list[str] = field(default_factory=list)

    @property
    def known(self) -> bool:
        return bool(self.capabilities or self.schedules or self.people or self.sources or self.policy)


def callers_of(function: Function) -> Callers:
    """Three queries."""
    bound = [
        binding for binding in CapabilityBinding.objects.filter(function_name=function.name)
        if binding.region in {"", function.region}
    ]  # fmt: skip
    slugs = [binding.capability for binding in bound]
    latest = (
        Batch.objects.filter(function_name=function.name, created__gte=timezone.now() - RECENT)
        .order_by("-created")
        .values_list("created_by_name", "source", "region")[:LOOKED_AT]
    )
    rows = [(who, source) for who, source, region in latest if region in {"", function.region}]
    return Callers(
        capabilities=bound,
        schedules=list(BatchSchedule.objects.filter(capability__in=slugs)) if slugs else [],
        people=[(who, source, count) for (who, source), count in Counter(rows).most_common(SHOWN)],
        looked_at=len(rows),
        sources=function.event_sources,
        policy=function.callers,
    )
