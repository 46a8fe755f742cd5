"""How many invocations a batch will have at once, against how many are free."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Q
from redis.exceptions import RedisError

from core.aws.errors import AwsError
from core.aws.functions import unreserved_concurrency
from services_registry.choices import ChunkState
from services_registry.models import CapabilityBinding, Chunk, EngineSettings, Function

REMEMBERED_S = 300
FORGOTTEN_S = 60  # after AWS did not answer, nobody else waits for it so long
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Capacity:
    """Invocations at once. `limit` is what AWS would run (None: not known); `held` is what our open batches run now."""

    function_cap: int | None
    global_cap: int
    limit: int | None
    reserved: bool
    held: int

    def at_once(self, wanted: int, chunks: int) -> int:
        """What a batch of so many chunks that may have `wanted` at once really gets while it is alone."""
        caps = [wanted, chunks, self.global_cap]
        if self.function_cap is not None:
            caps.append(self.function_cap)
        if self.limit is not None:
            caps.append(self.limit)
        return max(0, min(caps))

    @property
    def free(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.held)


def capacity_of(function_name: str, region: str, row: Function | None, *, ask_aws: bool) -> Capacity:
    """What the engine and AWS allow now. Without `ask_aws` only what was learnt in the last five minutes is used."""
    reserved = row.reserved_concurrency if row else None
    here, everywhere = _held(function_name)
    return Capacity(
        function_cap=_function_cap(function_name, row),
        global_cap=EngineSettings.current().concurrency,
        limit=reserved if reserved is not None else _unreserved(region, ask_aws=ask_aws),
        reserved=reserved is not None,
        held=here if reserved is not None else everywhere,
    )


def _function_cap(function_name: str, row: Function | None) -> int | None:
    """The function's own limit, else the largest of its bindings; None: neither is set."""
    if row is not None and row.dispatch_limit is not None:
        return row.dispatch_limit
    largest = CapabilityBinding.objects.filter(function_name=function_name).aggregate(most=Max("concurrency"))["most"]
    return largest or None


def _held(function_name: str) -> tuple[int, int]:
    """How many invocations are under way: of this function, and of all."""
    running = Chunk.objects.filter(state__in=[ChunkState.RUNNING, ChunkState.CHECKING]).aggregate(
        here=Count("pk", filter=Q(batch__function_name=function_name)), everywhere=Count("pk")
    )
    return running["here"], running["everywhere"]


def _unreserved(region: str, *, ask_aws: bool) -> int | None:
    """The account's unreserved limit in a region, asked at most every five minutes. None when AWS does not say."""
    key = f"unreserved-concurrency:{region}"
    known = _remembered(key)
    if known is None and ask_aws:
        try:
            known = unreserved_concurrency(region=region)
            _remember(key, known, REMEMBERED_S)
        except AwsError:
            known = _UNKNOWN
            _remember(key, known, FORGOTTEN_S)
    return None if known in (None, _UNKNOWN) else int(known)


def _remembered(key: str) -> Any:
    """A cache that is away knows nothing: no reason not to plan."""
    try:
        return cache.get(key)
    except RedisError:
        return None


def _remember(key: str, value: Any, seconds: int) -> None:
    with suppress(RedisError):
        cache.set(key, value, seconds)
