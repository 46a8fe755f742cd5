"""Cutting items into chunks, at the start and again when some have to be done once more."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services_registry.batches.claims import Claim

_LAST = "SELECT coalesce(max(position), -1) FROM services_registry_chunk WHERE batch_id = %s"
_ADD = """
INSERT INTO services_registry_chunk (id, batch_id, position, "group", depth, state, items_total, items_succeeded,
    items_failed, attempt, waits, worker, outcome, error_type, error_message, error_stack, request_id, log_tail,
    billed_invocations)
VALUES (%s, %s, %s, %s, %s, 'queued', %s, 0, 0, 0, 0, '', '', '', '', '', '', '', 0)
"""
_MOVE = "UPDATE services_registry_batchitem SET chunk_id = %s WHERE id = ANY(%s) AND state = 'pending'"


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


def add_chunks(cursor: Any, parent: Claim, parts: Sequence[Sequence[str]], *, deeper: bool) -> int:
    """Queue the pending items of each part in a new chunk of the parent's group; returns how many items moved.

    Call it in the transaction that settles the parent.
    """
    if not parts:
        return 0
    # The lock on the batch gives each new chunk its own position. One statement locks, the next sees what is there.
    cursor.execute("SELECT 1 FROM services_registry_batch WHERE id = %s FOR UPDATE", [parent.batch.pk])
    cursor.execute(_LAST, [parent.batch.pk])
    position = cursor.fetchone()[0]
    for part in parts:
        position += 1
        chunk_id = uuid.uuid4()
        row = [chunk_id, parent.batch.pk, position, parent.group, parent.depth + deeper, len(part)]
        cursor.execute(_ADD, row)
        cursor.execute(_MOVE, [chunk_id, [parent.ids[key] for key in part]])
    return sum(len(part) for part in parts)
