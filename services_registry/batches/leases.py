"""Leases: a running chunk belongs to a worker as long as the worker renews its claim every few seconds."""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from services_registry.choices import BatchState, ChunkState
from services_registry.models import Batch, Chunk

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
RENEW_EVERY_S = 5.0


class _Heart:
    """One daemon thread per process that renews the leases of all chunks this process is working on."""

    def __init__(self) -> None:
        self._held: dict[UUID, str] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def hold(self, chunk_id: UUID, token: str) -> None:
        with self._lock:
            if self._pid != os.getpid():  # forked: neither the thread nor the parent's chunks came along
                self._held, self._thread, self._pid = {}, None, os.getpid()
            self._held[chunk_id] = token
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="chunk-leases", daemon=True)
                self._thread.start()

    def drop(self, chunk_id: UUID) -> None:
        with self._lock:
            self._held.pop(chunk_id, None)

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(RENEW_EVERY_S)
            with self._lock:
                if not self._held:
                    self._thread = None
                    return
                tokens = list(self._held.values())
            try:
                renew(tokens)
            except DatabaseError as error:
                logger.warning("leases not renewed chunks=%s error=%s", len(tokens), error)
            finally:
                connection.close()


_heart = _Heart()


def claim(chunk_id: UUID) -> str:
    """Take a queued chunk; returns the claim's token, or "" when it is not to be had (any more, or yet)."""
    now = timezone.now()
    token = f"{socket.gethostname()[:50]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    # No join here: Postgres checks the state again after waiting for another claim only on the updated table itself.
    claimed = Chunk.objects.filter(
        Q(not_before=None) | Q(not_before__lte=now),
        pk=chunk_id,
        state=ChunkState.QUEUED,
        batch_id__in=Batch.objects.filter(state=BatchState.RUNNING, cancel_requested=False).values("pk"),
    ).update(state=ChunkState.RUNNING, worker=token, lease_until=now + LEASE, started=now, attempt=F("attempt") + 1)
    return token if claimed == 1 else ""


def renew(tokens: list[str]) -> int:
    """Extend these claims; a chunk that somebody else has taken over meanwhile is left alone."""
    return Chunk.objects.filter(worker__in=tokens, state=ChunkState.RUNNING).update(lease_until=timezone.now() + LEASE)


@contextmanager
def held(chunk_id: UUID, token: str) -> Iterator[None]:
    """Keep the lease alive while the block runs."""
    _heart.hold(chunk_id, token)
    try:
        yield
    finally:
        _heart.drop(chunk_id)
