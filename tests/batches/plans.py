"""A capability whose items weigh what their key says (`k-7` has a body of 7 kB), for plans; its function never runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from costs.price_book import seed_prices
from services_registry import capabilities
from services_registry.batches.plan import Plan, plan_batch
from services_registry.capabilities import Capability, ItemRef, OpenBinary, Selection
from services_registry.choices import BatchState, ChunkState, Outcome
from services_registry.models import Batch, CapabilityBinding, Chunk, Function

FUNCTION = "crates-weigh"
BINDING_SIZE = 50


class Crates(Capability):
    slug = "crates"
    label = "Weigh crates"
    item_noun = "crates"
    default_function = FUNCTION

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        return [ItemRef(key, f"crate {key}") for key in selection.get("keys", [])]

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {key: {"body": "x" * int(key.split("-")[1]) * 1000} for key in keys if not key.startswith("gone")}

    def partition(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: key.partition("@")[2] for key in keys}

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        return None


@contextmanager
def crates_bound() -> Iterator[Function]:
    """The capability, bound; the registry's row of its function: 1,024 MB, 60 s, with nothing to mind but its DLQ."""
    cache.clear()
    seed_prices()
    capabilities.register(Crates())
    CapabilityBinding.objects.create(
        capability="crates", function_name=FUNCTION, chunk_size=BINDING_SIZE, concurrency=4
    )
    yield Function.objects.create(
        account="123456789012", region=settings.AWS_REGION, name=FUNCTION, memory_mb=1024, timeout_s=60,
        runtime="python3.12", dead_letter="arn:aws:sqs:eu-west-1:123456789012:dead",
        arn=f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:{FUNCTION}",
    )  # fmt: skip
    capabilities.unregister("crates")


def crates(count: int, *, kilobytes: int = 1, group: str = "") -> list[str]:
    return [f"c{number}-{kilobytes}-@{group}" for number in range(count)]


def planned(keys: list[str], **options: Any) -> Plan:
    return plan_batch("crates", {"keys": keys}, **options)


def codes(plan: Plan) -> list[str]:
    return [caution.code for caution in plan.warnings]


def ran(*chunks: tuple[float, int], **fields: Any) -> Batch:
    """A finished batch with chunks of (milliseconds, items)."""
    batch = Batch.objects.create(
        capability="crates", function_name=FUNCTION, region=settings.AWS_REGION, title="earlier", state=BatchState.DONE
    )
    for position, (duration_ms, items) in enumerate(chunks):
        Chunk.objects.create(
            **{
                "batch": batch, "position": position, "state": ChunkState.DONE, "outcome": Outcome.SUCCEEDED,
                "items_total": items, "items_succeeded": items, "duration_ms": duration_ms,
                "billed_ms": round(duration_ms), "billed_invocations": 1,
                "finished": timezone.now() - timedelta(minutes=position),
            }
            | fields
        )  # fmt: skip
    return batch
