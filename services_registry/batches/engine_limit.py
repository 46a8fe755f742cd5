"""The limit over everything: how many invocations this dashboard may have under way at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from core.audit import record
from services_registry.batches.wake import wake
from services_registry.choices import ChunkState
from services_registry.models import Chunk, EngineSettings
from services_registry.models.operations import SINGLETON


@dataclass(frozen=True, slots=True)
class EngineLimit:
    """Invocations at once: what is allowed, and what is under way. After a cut `in_use` stays above for a while."""

    limit: int
    in_use: int

    @property
    def holds_everything(self) -> bool:
        return self.limit == 0


def engine_limit() -> EngineLimit:
    return EngineLimit(
        limit=EngineSettings.current().concurrency, in_use=Chunk.objects.filter(state=ChunkState.RUNNING).count()
    )


def change_engine_limit(concurrency: int, *, actor: Any, source: str, reason: str) -> bool:
    """Holds for the next invocation; those under way cannot be ended. False when it was that already.

    0 holds all batches: nothing is lost, they wait.
    """
    with transaction.atomic():
        EngineSettings.objects.get_or_create(pk=SINGLETON)
        row = EngineSettings.objects.select_for_update().get(pk=SINGLETON)
        if row.concurrency == concurrency:
            return False
        before, row.concurrency = row.concurrency, concurrency
        row.save(update_fields=["concurrency"])
        record(
            actor=actor, verb="engine.limit_changed", target=row, source=source, summary=str(row), reason=reason,
            before={"concurrency": before}, after={"concurrency": concurrency},
        )  # fmt: skip
        transaction.on_commit(wake)
    return True
