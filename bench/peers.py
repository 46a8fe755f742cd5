"""What the engine is measured against: the barest loop there could be, and one Celery task for each item.

This module is also the peer's Celery application (`celery -A bench.peers worker`). Both use the engine's own boto3
client settings, and one client for all threads.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
import redis
from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()  # a worker of this application gets here first; setting up twice does nothing

from core.aws.clients import boto_client  # noqa: E402  # reads the settings

READ_TIMEOUT_S = 70
PATIENCE_S = 300
_BROKER_DB = 5
"""A logical database of its own, so that the two workers do not take each other's messages."""


def one_client() -> Any:
    return boto_client("lambda", read_timeout_s=READ_TIMEOUT_S, attempts=1)


def invoke_once(client: Any, function_name: str, body: bytes) -> bytes:
    """One invocation with the log tail, as the engine asks for it, and its answer's bytes."""
    answer = client.invoke(FunctionName=function_name, Payload=body, InvocationType="RequestResponse", LogType="Tail")
    read: bytes = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise RuntimeError(read.decode(errors="replace"))
    return read


def bare_loop(function_name: str, bodies: Sequence[bytes], threads: int) -> int:
    """Invoke every body from a pool of threads and keep nothing; returns how many answers were read."""
    client = one_client()
    with ThreadPoolExecutor(threads) as pool:
        return sum(1 for _answer in pool.map(lambda body: invoke_once(client, function_name, body), bodies))


# --- one Celery task for each item ------------------------------------------------------------------------------------


def _address(*, for_celery: bool) -> str:
    """The same Valkey as the engine's broker, another logical database."""
    url: str = settings.VALKEY_URL
    if not url.startswith("unix:"):
        return f"{url.rstrip('/')}/{_BROKER_DB}"
    path = url.removeprefix("unix://").removeprefix("unix:")
    return f"redis+socket://{path}?virtual_host={_BROKER_DB}" if for_celery else f"unix://{path}?db={_BROKER_DB}"


app = Celery("bench_peer", broker=_address(for_celery=True))
app.conf.update(
    task_ignore_result=True,
    task_acks_late=settings.CELERY_TASK_ACKS_LATE,
    worker_prefetch_multiplier=settings.CELERY_WORKER_PREFETCH_MULTIPLIER,
    broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    broker_connection_retry_on_startup=True,
)
_finished: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))


@app.task(name="bench.invoke_item")
def invoke_item(function_name: str, body: str, run: str, total: int) -> None:
    """One invocation for one item. The last of a run says so; counting in memory keeps the others free of that cost."""
    invoke_once(one_client(), function_name, body.encode())
    if next(_finished[run]) == total:
        _valkey().rpush(_done_key(run), "done")


def send_items(function_name: str, bodies: Sequence[bytes], run: str) -> None:
    """Enqueue one task for each body."""
    for body in bodies:
        invoke_item.delay(function_name, body.decode(), run, len(bodies))


def wait_until_done(run: str) -> None:
    """Until the worker has finished the last item of a run.

    Raises:
        TimeoutError: it has not, in five minutes.
    """
    if _valkey().blpop([_done_key(run)], timeout=PATIENCE_S) is None:
        raise TimeoutError(f"the peer's worker did not finish in {PATIENCE_S} s")


def _done_key(run: str) -> str:
    return f"bench:done:{run}"


def _valkey() -> Any:
    return redis.Redis.from_url(_address(for_celery=False), socket_timeout=PATIENCE_S + 10)
