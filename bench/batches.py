"""The benches of the batch engine, in the order in which they run."""

from __future__ import annotations

import json
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import TextField
from django.db.models.functions import Cast

from bench import peers
from bench.processes import Worker
from bench.results import Result, at_least, at_most
from bench.setup import NOOP, WAIT_50_MS, limit_function, payloads
from services_registry.batches import drain, start_runs
from services_registry.batches.request import payloads_request
from services_registry.choices import OPEN_BATCHES, BatchState
from services_registry.models import Batch, BatchItem, Chunk

THREADS = 8
PATIENCE_S = 600
_POLL_S = 0.02
DEFAULT_CHUNK = 100
"""What the engine takes for items like these unless told otherwise."""
ROUNDS = 3


def start(
    actor: User, function_name: str, given: Sequence[Any], *, chunk_size: int, concurrency: int = THREADS
) -> Batch:
    """A chunked batch of items that bring their own payloads."""
    return start_runs(
        function_name=function_name, payloads=list(given), chunked=True, repeatable=True, chunk_size=chunk_size,
        concurrency=concurrency, actor=actor, source="bench",
    )  # fmt: skip


def wait_until_final(batch: Batch) -> None:
    """Until the worker has finished a batch.

    Raises:
        TimeoutError: it has not, in ten minutes.
        AssertionError: some items did not succeed, so that the time means nothing.
    """
    deadline = time.monotonic() + PATIENCE_S
    while Batch.objects.filter(pk=batch.pk, state__in=OPEN_BATCHES).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{batch} is not finished after {PATIENCE_S} s")
        time.sleep(_POLL_S)
    check(batch)


def check(batch: Batch) -> None:
    batch.refresh_from_db()
    if batch.state != BatchState.DONE or batch.succeeded != batch.total:
        raise AssertionError(f"{batch}: {batch.state}, {batch.succeeded} of {batch.total} succeeded")


# --- what dispatching costs -------------------------------------------------------------------------------------------


def bodies_of(batch: Batch) -> list[bytes]:
    """The very bytes that the engine is going to send, chunk by chunk."""
    items = BatchItem.objects.filter(batch=batch).annotate(text=Cast("input", TextField())).order_by("position")
    by_chunk: dict[Any, dict[str, str]] = {}
    for chunk_id, key, text in items.values_list("chunk_id", "key", "text"):
        by_chunk.setdefault(chunk_id, {})[key] = f'{text[:-1]},"id":{json.dumps(key)}}}'
    chunks = Chunk.objects.filter(batch=batch).select_related("batch").order_by("position")
    listed = [(chunk, by_chunk[chunk.pk]) for chunk in chunks]
    return [payloads_request(chunk, ",".join(own.values()), list(own)).body for chunk, own in listed]


T = TypeVar("T")


def with_cpu(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and the user and system seconds this process spent on it, all threads together."""
    began = time.process_time()
    done = work()
    return done, time.process_time() - began


@dataclass(frozen=True, slots=True)
class Overhead:
    """CPU seconds, medians over the rounds."""

    peer: float
    ours: float
    start: float

    @property
    def ratio(self) -> float:
        return self.ours / self.peer


def overhead(actor: User, *, chunk_size: int, count: int, rounds: int) -> Overhead:
    """Peer and engine in turns, on the same bytes; the first round only warms up."""
    spent = [_one_round(actor, chunk_size, count) for _round in range(rounds + 1)][1:]
    return Overhead(*(statistics.median(column) for column in zip(*spent, strict=True)))


def _one_round(actor: User, chunk_size: int, count: int) -> tuple[float, float, float]:
    """CPU seconds of the peer, of our dispatching and of our start."""
    given = payloads(count)
    batch, of_start = with_cpu(lambda: start(actor, NOOP, given, chunk_size=chunk_size))
    bodies = bodies_of(batch)
    _count, of_peer = with_cpu(lambda: peers.bare_loop(NOOP, bodies, THREADS))
    finished, of_ours = with_cpu(lambda: drain(_finished(batch), PATIENCE_S))
    if not finished:
        raise TimeoutError(f"{batch} is not finished after {PATIENCE_S} s")
    check(batch)
    return of_peer, of_ours, of_start


def _finished(batch: Batch) -> Callable[[], bool]:
    """Whether a batch is over; the database is asked seldom, because asking is not the engine's work."""
    asked = time.monotonic()

    def over() -> bool:
        nonlocal asked
        if time.monotonic() - asked < 10 * _POLL_S:
            return False
        asked = time.monotonic()
        return not Batch.objects.filter(pk=batch.pk, state__in=OPEN_BATCHES).exists()

    return over


def client_overhead(actor: User, count: int, rounds: int) -> Iterator[Result]:
    """CPU of this process for dispatching, from queued to settled, against the barest loop on the same bytes."""
    found = {size: overhead(actor, chunk_size=size, count=count, rounds=rounds) for size in (25, DEFAULT_CHUNK, 500)}
    figures: dict[str, float] = {}
    for size, one in found.items():
        figures[f"ratio_chunk_{size}"] = one.ratio
        figures[f"ours_us_per_item_{size}"] = one.ours / count * 1e6
        figures[f"peer_us_per_item_{size}"] = one.peer / count * 1e6
    figures["start_us_per_item"] = found[DEFAULT_CHUNK].start / count * 1e6
    yield at_most("dispatch CPU against a bare invoke loop", found[DEFAULT_CHUNK].ratio, 1.5, n=count, **figures)


# --- how fast, how full, how big --------------------------------------------------------------------------------------


def peer_speed(count: int) -> float:
    """Items a second of one Celery task and one invocation for each item."""
    bodies = [json.dumps(payload).encode() for payload in payloads(count)]
    run = uuid.uuid4().hex
    began = time.monotonic()
    peers.send_items(NOOP, bodies, run)
    peers.wait_until_done(run)
    return count / (time.monotonic() - began)


def our_speed(actor: User, count: int) -> float:
    """Items a second through a real worker, from the first enqueued to the last settled."""
    given = payloads(count)
    began = time.monotonic()
    wait_until_final(start(actor, NOOP, given, chunk_size=DEFAULT_CHUNK))
    return count / (time.monotonic() - began)


def throughput(actor: User, engine: Worker, peer: Worker, *, count: int, peer_count: int) -> Iterator[Result]:
    """No-op items through both workers, in turns."""
    our_speed(actor, DEFAULT_CHUNK * THREADS)  # environments and connections come up
    peer_speed(peer_count // 10)
    before = engine.cpu_s(), peer.cpu_s()
    speeds = [(our_speed(actor, count), peer_speed(peer_count)) for _round in range(ROUNDS)]
    ours, theirs = (statistics.median(column) for column in zip(*speeds, strict=True))
    yield at_least(
        "items a second against one task per item", ours / theirs, 20, n=count,
        ours_items_per_s=ours, peer_items_per_s=theirs,
        ours_us_per_item=(engine.cpu_s() - before[0]) / ROUNDS / count * 1e6,
        peer_us_per_item=(peer.cpu_s() - before[1]) / ROUNDS / peer_count * 1e6,
    )  # fmt: skip


def utilisation(actor: User, cap: int) -> Iterator[Result]:
    """How much of a concurrency cap invocations of 50 ms fill while there is work: fifty rounds of the cap."""
    limit_function(WAIT_50_MS, cap)
    wait_until_final(start(actor, WAIT_50_MS, payloads(cap), chunk_size=1, concurrency=cap))
    batch = start(actor, WAIT_50_MS, payloads(cap * 50), chunk_size=1, concurrency=cap)
    wait_until_final(batch)
    in_use, inside = _in_use(batch, cap)
    name = f"a cap of {cap} in use while there is work"
    yield at_least(name, in_use, 0.9, n=batch.total, inside_function=inside)


def _in_use(batch: Batch, cap: int) -> tuple[float, float]:
    """The share of the cap that was in flight, and the share that AWS saw running.

    Counted from when the cap was first reached until fewer chunks than the cap were left to begin.
    """
    rows: Any = batch.chunks.exclude(seconds=None).values_list("finished", "seconds", "duration_ms")
    spans = [
        (finished.timestamp() - seconds, finished.timestamp(), (ran_ms or 0.0) / 1000 / seconds)
        for finished, seconds, ran_ms in rows
    ]
    first, last = sorted(span[0] for span in spans)[cap - 1], sorted(span[1] for span in spans)[-cap]
    inside = [(max(0.0, min(end, last) - max(begin, first)), ran) for begin, end, ran in spans]
    room = cap * (last - first)
    return sum(seconds for seconds, _ran in inside) / room, sum(seconds * ran for seconds, ran in inside) / room


def memory(actor: User, engine: Worker, *, count: int) -> Iterator[Result]:
    """How much higher a worker's peak gets from 1,000 items to many, in chunks of 500."""
    wait_until_final(start(actor, NOOP, payloads(1_000), chunk_size=500))
    small = engine.peak_mb()
    began = time.monotonic()
    wait_until_final(start(actor, NOOP, payloads(count), chunk_size=500))
    grown = engine.peak_mb() - small
    yield at_most(
        "growth of a worker from 1,000 items to many, of 50 MB", grown / 50, 1, n=count,
        small_mb=small, grown_mb=grown, items_per_s=count / (time.monotonic() - began),
    )  # fmt: skip
