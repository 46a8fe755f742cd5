"""What a batch would be, before anybody starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from core import formats
from services_registry import capabilities
from services_registry.batches.chunks import cut
from services_registry.batches.errors import BatchError
from services_registry.batches.request import INLINE_LIMIT, encode
from services_registry.batches.start import distinct
from services_registry.batches.target import Target, function_row, target_of
from services_registry.capabilities import Capability, ItemFailed
from services_registry.choices import ChunkState, ItemState
from services_registry.models import BatchItem, Chunk

SAMPLED_ITEMS = 20
REMEMBERED_CHUNKS = 50
MANY_ITEMS = 10_000


@dataclass(slots=True)
class Plan:
    """Sizes in bytes, times in seconds. `seconds` and `chunk_seconds` are None while there is no experience."""

    capability: Capability
    target: Target
    items: int
    chunks: int
    request_bytes: int
    chunk_bytes: int
    labels: list[str]
    chunk_seconds: float | None = None
    seconds: float | None = None
    timeout_s: int | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def duration_text(self) -> str:
        """The predicted duration in words, empty while nothing is known."""
        return formats.duration_ms_text(self.seconds * 1000) if self.seconds else ""


def plan_batch(capability: str, selection: Mapping[str, Any], *, chunk_size: int | None = None) -> Plan:
    """Resolve and measure, without starting anything.

    Raises:
        BatchError: the selection is empty.
        SelectionError: the capability is unknown, or cannot understand the selection.
    """
    kind = capabilities.get(capability)
    items = distinct(kind.resolve(selection))
    if not items:
        raise BatchError(_("The selection holds no %(items)s.") % {"items": kind.item_noun}, code="empty_selection")
    target = target_of(kind)
    size = max(1, min(chunk_size or target.chunk_size, target.chunk_size))
    keys = [item.key for item in items]
    chunks = len(cut(keys, kind.partition(keys), size))
    warnings: list[str] = []
    per_item = _bytes_per_item(kind, keys, warnings)
    plan = Plan(
        capability=kind,
        target=target,
        items=len(items),
        chunks=chunks,
        request_bytes=round(per_item * len(items)),
        chunk_bytes=round(per_item * min(size, len(items))),
        labels=[item.label or item.key for item in items[:5]],
        warnings=warnings,
    )
    _predict(plan, size)
    _warn(plan)
    return plan


def _bytes_per_item(kind: Capability, keys: list[str], warnings: list[str]) -> float:
    """Measured on a few, spread over the selection. What already fails here is said as a warning."""
    step = max(1, len(keys) // SAMPLED_ITEMS)
    sample = keys[::step][:SAMPLED_ITEMS]
    try:
        payloads = kind.payload(sample)
    except ItemFailed as failure:
        warnings.append(_("Some items will fail: %(why)s") % {"why": failure.message})
        return 0.0
    return len(encode(payloads)) / max(1, len(payloads))


def _predict(plan: Plan, size: int) -> None:
    """From the latest finished chunks of this capability."""
    recent = list(
        Chunk.objects.filter(
            batch__capability=plan.capability.slug, state=ChunkState.DONE, duration_ms__isnull=False
        ).order_by("-finished").values_list("pk", flat=True)[:REMEMBERED_CHUNKS]
    )  # fmt: skip
    total = Chunk.objects.filter(pk__in=recent).aggregate(ms=Sum("duration_ms"))["ms"]
    done = BatchItem.objects.filter(chunk_id__in=recent).exclude(state=ItemState.PENDING).aggregate(n=Count("pk"))["n"]
    if total and done:
        per_item_s = total / 1000 / done
        plan.chunk_seconds = per_item_s * min(size, plan.items)
        plan.seconds = per_item_s * plan.items / min(plan.target.concurrency, plan.chunks)


def _warn(plan: Plan) -> None:
    row = function_row(plan.target.function_name, plan.target.region)
    plan.timeout_s = row.timeout_s if row else None
    if row is None:
        plan.warnings.append(
            _("The registry does not know %(name)s yet; its time-out is unknown.") % {"name": plan.target.function_name}
        )
    elif row.gone:
        plan.warnings.append(_("The last sync did not find %(name)s: calls will be rejected.") % {"name": row.name})
    elif row.reserved_concurrency == 0:
        plan.warnings.append(_("%(name)s is stopped (reserved concurrency 0): calls will wait.") % {"name": row.name})
    if plan.timeout_s and plan.chunk_seconds and plan.chunk_seconds > 0.8 * plan.timeout_s:
        plan.warnings.append(
            _("A chunk may need %(seconds)d s of the %(timeout)d s the function has; smaller chunks are safer.")
            % {"seconds": plan.chunk_seconds, "timeout": plan.timeout_s}
        )
    if plan.chunk_bytes > INLINE_LIMIT:
        plan.warnings.append(_("Chunks are too big for one call and will travel through object storage."))
    if plan.items > MANY_ITEMS:
        plan.warnings.append(_("This is a large batch. It shares the function with smaller ones, which stay quick."))
