"""Cutting items into chunks, at the start and again when some have to be done once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max

from services_registry.choices import ItemState
from services_registry.models import Batch, BatchItem, Chunk


@dataclass(frozen=True, slots=True)
class Group:
    """The keys of one chunk and what they share."""

    name: str
    keys: list[str]


def cut(keys: Sequence[str], groups: Mapping[str, str], size: int) -> list[Group]:
    """Chunks of at most `size` keys that never mix groups, in the order in which groups first appear."""
    by_group: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_group[groups.get(key, "")[:80]].append(key)
    return [
        Group(name, members[start : start + size])
        for name, members in by_group.items()
        for start in range(0, len(members), size)
    ]


def add_chunk(parent: Chunk, keys: Sequence[str], *, deeper: bool = False) -> Chunk:
    """Queue the still pending ones of `keys` in a new chunk of the same group. Call it inside a transaction."""
    # The lock gives each new chunk of the batch its own position.
    Batch.objects.select_for_update().only("pk").get(pk=parent.batch_id)
    last = Chunk.objects.filter(batch_id=parent.batch_id).aggregate(last=Max("position"))["last"]
    chunk = Chunk.objects.create(
        batch_id=parent.batch_id,
        position=(last or 0) + 1,
        group=parent.group,
        depth=parent.depth + deeper,
        items_total=len(keys),
    )
    BatchItem.objects.filter(batch_id=parent.batch_id, key__in=list(keys), state=ItemState.PENDING).update(chunk=chunk)
    return chunk
