"""What a person waits for: the start of a big batch, and its page while it runs."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.batches import start
from bench.results import Result, at_most
from bench.setup import WAIT_5_S, make_deliveries, payloads
from services_registry.batches import cancel_batch
from services_registry.choices import BatchState, ChunkState, ItemState, Outcome
from services_registry.models import Batch, BatchItem, Chunk, EngineSettings

START_LIMIT_S, PAGE_LIMIT_MS = 2.0, 50.0
_ROUNDS, _VIEWS = 3, 20
_HELD, _SLOWLY = 0, 2
"""Invocations at once over everything: none, and so few that the machine has time for pages."""
_DONE_SHARE = 0.6


def browser_of(user: User) -> Client:
    """A signed-in client that takes compressed answers, as browsers do."""
    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(user)
    return client


def starting(actor: User, count: int) -> Iterator[Result]:
    """From the confirmed plan to the redirect, for everything that matches, with nothing else running."""
    make_deliveries(count)
    _let(_HELD)
    client, seconds = browser_of(actor), []
    _start_by_page(client, 100)  # not counted: the first request loads what the process needs
    for _round in range(_ROUNDS):
        seconds.append(_start_by_page(client, count))
    _let(None)
    yield at_most(
        f"starting {count:,} items by the page, of {START_LIMIT_S:g} s",
        statistics.median(seconds) / START_LIMIT_S, 1, n=count,
        seconds=statistics.median(seconds), slowest_seconds=max(seconds),
    )  # fmt: skip


def _start_by_page(client: Client, count: int) -> float:
    """Seconds until the answer; the batch is cancelled afterwards."""
    key = uuid.uuid4().hex
    selection = '{"query": {}}' if count > 100 else '{"query": {"q": "BN000000000"}}'
    form = {"capability": "render_pdf", "selection": selection, "context": "{}", "idempotency_key": key}
    began = time.perf_counter()
    answer = client.post(reverse("batch-start"), form)
    seconds = time.perf_counter() - began
    batch = Batch.objects.get(idempotency_key=key)
    if answer.status_code != 302 or (count > 100 and batch.total != count):
        raise AssertionError(f"status {answer.status_code}, {batch.total} items")
    cancel_batch(batch, actor=None, source="bench")
    return seconds


def viewing(actor: User, sizes: tuple[int, int]) -> Iterator[Result]:
    """The page and its live part, for a small and a big batch that a worker is really working on."""
    found = {size: _views_of(actor, size) for size in sizes}
    small, big = sizes
    for part, name in enumerate(("batch page", "live part of the batch page")):
        small_ms, big_ms = found[small][part], found[big][part]
        yield at_most(
            f"{name} at {big:,} items, of {PAGE_LIMIT_MS:g} ms", big_ms / PAGE_LIMIT_MS, 1, n=big,
            **{f"ms_{small}": small_ms, f"ms_{big}": big_ms, "growth": big_ms / small_ms},
        )  # fmt: skip


def _views_of(actor: User, count: int) -> tuple[float, float]:
    """Milliseconds of the page and of its live part, medians, while the batch goes on."""
    _let(_HELD)
    batch = start(actor, WAIT_5_S, payloads(count), chunk_size=25)
    _finish_part(batch)
    _let(_SLOWLY)
    _wait_for_progress(batch)
    client, address = browser_of(actor), reverse("batch-detail", args=[batch.pk])
    page = _median_ms(client, address, {})
    live = _median_ms(client, address, {"HX-Request": "true"})
    batch.refresh_from_db()
    if batch.state != BatchState.RUNNING or not Chunk.objects.filter(batch=batch, state=ChunkState.RUNNING).exists():
        raise AssertionError(f"{batch} was not being worked on: {batch.state}")
    cancel_batch(batch, actor=None, source="bench")
    _let(None)
    return page, live


def _median_ms(client: Client, address: str, headers: dict[str, str]) -> float:
    times = []
    for _view in range(_VIEWS + 2):
        began = time.perf_counter()
        answer = client.get(address, headers=headers)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise AssertionError(f"{address}: status {answer.status_code}")
    return statistics.median(times[2:])


def _finish_part(batch: Batch) -> None:
    """The state after some hours: most chunks are done, their invocations measured."""
    chunks = Chunk.objects.filter(batch=batch, position__lt=batch.chunks.count() * _DONE_SHARE)
    items = BatchItem.objects.filter(batch=batch, chunk__in=chunks)
    settled = items.update(state=ItemState.SUCCEEDED, outcome=Outcome.SUCCEEDED, settled=timezone.now())
    chunks.update(
        state=ChunkState.DONE, outcome=Outcome.SUCCEEDED, attempt=1, items_succeeded=F("items_total"),
        started=timezone.now(), finished=timezone.now(), seconds=5.02, duration_ms=5001.3, billed_ms=5002,
        billed_invocations=1, memory_mb=128, max_memory_mb=40, request_id="bench",
    )  # fmt: skip
    Batch.objects.filter(pk=batch.pk).update(succeeded=settled)


def _wait_for_progress(batch: Batch, patience_s: float = 60) -> None:
    """Until the worker has settled something of it.

    Raises:
        TimeoutError: it has not, in a minute.
    """
    before = Batch.objects.get(pk=batch.pk).succeeded
    deadline = time.monotonic() + patience_s
    while Batch.objects.get(pk=batch.pk).succeeded <= before:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the worker does not touch {batch}")
        time.sleep(0.1)


def _let(at_once: int | None) -> None:
    """The limit over everything; None for its default."""
    EngineSettings.objects.all().delete()
    if at_once is not None:
        EngineSettings(concurrency=at_once).save()
