"""What a batch would be, before anybody starts it: its chunks, how they travel, how long, what it costs, what to mind.

1. `ItemBytes` are measured on a few items; `history_of` says what earlier work took.
2. `choose_size` takes the largest chunk that stays clear of the time-out and travels well (`sizing`).
3. `capacity_of` says how many invocations run at once, `spending_of` what they cost, `cautions_for` what to mind.

Page, API and command show the same `Plan`; a started batch keeps its `snapshot`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from services_registry import capabilities
from services_registry.batches.capacity import Capacity, capacity_of
from services_registry.batches.cautions import Caution, cautions_for
from services_registry.batches.errors import BatchError
from services_registry.batches.history import ITEM, history_of
from services_registry.batches.planned import Plan
from services_registry.batches.request import encode
from services_registry.batches.sizing import INLINE, PLAIN, ItemBytes, Size, choose_size
from services_registry.batches.spending import spending_of
from services_registry.batches.target import Target, function_row, target_of
from services_registry.capabilities import Asked, Capability, ItemFailed, ItemRef
from services_registry.choices import Severity

SAMPLED_ITEMS = 20
SHOWN_LABELS = 5
RUN_CHUNK_SIZE = 100
RUN_CONCURRENCY = 8
"""Of payloads that somebody brings along, unless they say otherwise: no administrator has bound anything."""
GROUP_NAME = 80  # as a chunk keeps it

__all__ = ["Plan", "distinct", "plan_batch", "plan_items", "plan_run"]


def plan_batch(
    capability: str,
    selection: Mapping[str, Any],
    *,
    context: Mapping[str, Any] | None = None,
    chunk_size: int | None = None,
    concurrency: int | None = None,
) -> Plan:
    """Resolve and measure, without starting anything.

    Raises:
        BatchError: the selection is empty.
        SelectionError: the capability is unknown, or cannot understand the selection or the options.
    """
    kind = capabilities.get(capability)
    asked = Asked(selection, kind.options(context or {}))
    items = distinct(kind.items_of(asked))
    if not items:
        raise BatchError(_("The selection holds no %(items)s.") % {"items": kind.item_noun}, code="empty_selection")
    return _plan_items(kind, items, target_of(kind), chunk_size, concurrency, None, asked, ask_aws=True)


def plan_items(
    kind: Capability,
    items: Sequence[ItemRef],
    target: Target,
    *,
    chunk_size: int | None = None,
    concurrency: int | None = None,
    groups: Mapping[str, str] | None = None,
    asked: Asked | None = None,
) -> Plan:
    """The plan of items that are resolved already, without asking AWS anything: a start must not wait for it."""
    return _plan_items(kind, items, target, chunk_size, concurrency, groups, asked or Asked({}, {}), ask_aws=False)


def plan_run(
    function_name: str,
    payloads: Sequence[Any],
    *,
    region: str = "",
    chunked: bool = False,
    chunk_size: int | None = None,
    concurrency: int | None = None,
    repeatable: bool = False,
    ask_aws: bool = True,
) -> Plan:
    """The plan of plain runs: one payload is one item, alone in its invocation unless `chunked`.

    Raises:
        BatchError: there is no payload, or one is no JSON.
    """
    if not payloads:
        raise BatchError(_("There is nothing to run: no payload was given."), code="empty_selection")
    target = Target(
        function_name, region or settings.AWS_REGION, "", chunk_size or RUN_CHUNK_SIZE, concurrency or RUN_CONCURRENCY
    )
    sample = list(_spread(payloads))
    try:
        sizes = [len(encode(payload)) for payload in sample]
    except (TypeError, ValueError) as error:
        raise BatchError(_("The payload is not JSON: %(why)s") % {"why": error}, code="payload") from error
    return _planned(
        target, ItemBytes(sizes, exact=len(sample) == len(payloads)), Counter({"": len(payloads)}), chunk_size,
        concurrency, labels=[function_name], noun=_("payloads"), title=function_name, chunked=chunked, repeatable=repeatable,
        ask_aws=ask_aws,
    )  # fmt: skip


def distinct(items: Iterable[ItemRef]) -> list[ItemRef]:
    """The items without repetitions, in order."""
    return list({item.key: item for item in items}.values())


def _plan_items(
    kind: Capability,
    items: Sequence[ItemRef],
    target: Target,
    chunk_size: int | None,
    concurrency: int | None,
    groups: Mapping[str, str] | None,
    asked: Asked,
    *,
    ask_aws: bool,
) -> Plan:
    if groups is None:
        groups = kind.groups_of([item.key for item in items], asked)
    counts = Counter(groups.get(item.key, "")[:GROUP_NAME] for item in items) if groups else Counter({"": len(items)})
    item_bytes, problem = _measured(
        kind, [item.key for item in _spread(items)], asked, whole=len(items) <= SAMPLED_ITEMS
    )
    plan = _planned(
        target, item_bytes, counts, chunk_size, concurrency, noun=str(kind.item_noun), title=kind.title_of(asked),
        capability=kind, repeatable=kind.repeatable, ask_aws=ask_aws,
        labels=[item.label or item.key for item in items[:SHOWN_LABELS]],
    )  # fmt: skip
    if problem:
        plan.warnings.insert(0, problem)
    return plan


def _planned(
    target: Target,
    item_bytes: ItemBytes,
    counts: Counter[str],
    asked: int | None,
    concurrency: int | None,
    *,
    ask_aws: bool,
    repeatable: bool,
    chunked: bool = True,
    capability: Capability | None = None,
    **words: Any,
) -> Plan:
    """`counts`: how many items each group holds."""
    row = function_row(target.function_name, target.region)
    slug = capability.slug if capability else ""
    history = history_of(target.function_name, target.region, slug, row, plain=not chunked)
    items = counts.total()
    if chunked:
        size = choose_size(
            ceiling=target.chunk_size, asked=asked, items=max(counts.values()), item_bytes=item_bytes,
            item_p95_ms=history.p95_ms if history.per == ITEM else None, init_ms=history.init_ms,
            timeout_s=row.timeout_s if row else None,
        )  # fmt: skip
    else:
        size = Size(1, PLAIN, _("each payload is one call"), INLINE, _("a plain payload always travels in the call"))
    chunks = sum(math.ceil(count / size.items) for count in counts.values())
    capacity = capacity_of(target.function_name, target.region, row, ask_aws=ask_aws)
    plan = Plan(
        target=target,
        items=items,
        chunks=chunks,
        largest=min(size.items, max(counts.values())),
        size=size,
        concurrency=_wanted(concurrency, target, capacity),
        item_bytes=item_bytes,
        history=history,
        capacity=capacity,
        spending=spending_of(row, history, items=items, chunks=chunks, repeatable=repeatable),
        row=row,
        capability=capability,
        chunked=chunked,
        **words,
    )
    plan.warnings = cautions_for(plan)
    return plan


def _wanted(asked: int | None, target: Target, capacity: Capacity) -> int:
    """What the batch may have at once: as asked, within the function's limit, else as its binding says."""
    if asked is None:
        return target.concurrency
    return max(1, min(asked, capacity.function_cap or asked))


def _spread(items: Sequence[Any]) -> Sequence[Any]:
    """A few of them, evenly over the whole."""
    return items[:: max(1, math.ceil(len(items) / SAMPLED_ITEMS))]


def _measured(kind: Capability, keys: list[str], asked: Asked, *, whole: bool) -> tuple[ItemBytes, Caution | None]:
    """The sizes of a few items as they are sent. What already fails here is said."""
    try:
        payloads = kind.payloads_of(keys, asked)
    except ItemFailed as failure:
        text = _("Some items will fail: %(why)s") % {"why": failure.message}
        return ItemBytes([]), Caution("items_fail", Severity.WARNING, text)
    sizes = [len(encode({**payload, "id": key})) + 1 for key, payload in payloads.items()]
    missing = len(keys) - len(sizes)
    if not missing:
        return ItemBytes(sizes, exact=whole), None
    text = _("Of %(n)d items looked at, %(missing)d cannot be sent and will fail.") % {
        "n": len(keys),
        "missing": missing,
    }
    return ItemBytes(sizes, exact=whole), Caution("items_fail", Severity.WARNING, text)
