"""The runner: one per worker process. It claims chunks as long as there is room, and works on each in a thread.

The broker only wakes it up; without a broker it looks by itself every two seconds. What it holds is known to the
database by leases, so whatever happens to this process, another one goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from services_registry.batches import tails
from services_registry.batches.claims import RENEW_EVERY_S, Claim, Claims
from services_registry.batches.gates import Gates
from services_registry.batches.recover import recover
from services_registry.batches.run import Worked, ask, database, write
from services_registry.batches.tails import Tail

logger = logging.getLogger(__name__)

IDLE_POLL_S = 2.0
BUSY_POLL_S = 0.25
"""While something is under way: how soon a changed limit, a resumed batch or a pause that is over is seen."""
WRITERS = 4
RECOVER_EVERY_S = 10.0
KEEP_EVERY_S = 0.5


class Runner:
    """Safe to make anywhere; nothing happens until `start` or `run_until`."""

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads or settings.BATCH_THREADS
        self._claims = Claims()
        self._gates = Gates()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._held: set[UUID] = set()
        self._answered: set[UUID] = set()
        self._tails: list[Tail] = []
        self._holding = self._stopping = False
        self._recover_every_s = RECOVER_EVERY_S
        self._pool: ThreadPoolExecutor | None = None
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="chunk-writer")
        self._own_threads: list[threading.Thread] = []

    # --- from outside -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run in the background until `stop`. A second call changes nothing."""
        with self._lock:
            if self._own_threads:
                return
            self._own_threads = [
                threading.Thread(target=self._loop, name="batch-runner", daemon=True),
                threading.Thread(target=self._keep_house, name="batch-keeper", daemon=True),
            ]
        for thread in self._own_threads:
            thread.start()

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def hold(self) -> None:
        """Claim nothing any more; what is under way goes on."""
        self._holding = True

    def stop(self, patience_s: float = 5.0) -> None:
        """Claim nothing any more; wait a little for what is under way. The rest is left to its leases."""
        self._holding = True
        deadline = time.monotonic() + patience_s
        while self._held and time.monotonic() < deadline:
            time.sleep(0.02)
        self._stopping = True
        self._wake.set()
        self._flush()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        self._writers.shutdown(wait=False)

    def run_until(self, done: Callable[[], bool], patience_s: float = 60.0) -> bool:
        """Work in the foreground until `done()`; False when that did not happen in time. For commands and tests."""
        self._recover_every_s = 1.0
        keeper = threading.Thread(target=self._keep_house, name="batch-keeper", daemon=True)
        keeper.start()
        deadline = time.monotonic() + patience_s
        try:
            while time.monotonic() < deadline:
                if done() and not self._held:
                    return True
                if not self._turn():
                    self._wait(min(BUSY_POLL_S, 0.05))
            return False
        finally:
            self.stop()
            keeper.join(patience_s)

    # --- claiming -----------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._stopping:
            try:
                with database():
                    claimed = self._turn()
            except DatabaseError as error:
                logger.warning("nothing claimed, database away error=%s", error)
                self._wake.clear()
                self._wake.wait(1.0)
                continue
            if not claimed:
                self._wait(BUSY_POLL_S if self._held else IDLE_POLL_S)

    def _turn(self) -> int:
        """Claim what there is room for and hand it to the threads; returns how many chunks."""
        self._wake.clear()
        with self._lock:
            answered = list(self._answered)
            room = self.threads - len(self._held) + len(answered)
        if room <= 0 or self._holding:
            return 0
        claims = self._claims.take(room, answered=answered, gate=self._gates.limit)
        with self._lock:
            self._held.update(claim.chunk_id for claim in claims)
        if self._pool is None and claims:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="chunk")
        for claim in claims:
            self._pool.submit(self._work, claim)  # type: ignore[union-attr]  # made above
        return len(claims)

    def _wait(self, seconds: float) -> None:
        opens = self._gates.opens_in()
        self._wake.wait(seconds if opens is None else max(0.005, min(seconds, opens)))

    # --- working ------------------------------------------------------------------------------------------------------

    def _work(self, claim: Claim) -> None:
        try:
            worked = ask(claim, self._gates)
        except Exception:  # a thread of the pool would swallow it; the lease brings the chunk back
            logger.exception("chunk not worked batch=%s chunk=%s", claim.batch.pk, claim.chunk_id)
            self._let_go(claim)
            return
        with self._lock:
            self._answered.add(claim.chunk_id)
        self._wake.set()
        try:
            self._writers.submit(self._write, worked)
        except RuntimeError:  # stopping: it is written here
            self._write(worked)

    def _write(self, worked: Worked) -> None:
        """In a thread that keeps its connection to the database."""
        try:
            tail = write(worked)
        except Exception:  # the same as above
            logger.exception("chunk not settled batch=%s chunk=%s", worked.claim.batch.pk, worked.claim.chunk_id)
        else:
            if tail is not None:
                with self._lock:
                    self._tails.append(tail)
        finally:
            if not self._claims_are_waiting():
                connection.close()
            self._let_go(worked.claim)

    def _claims_are_waiting(self) -> bool:
        """Whether more is under way than is being written: then the connection is needed again at once."""
        with self._lock:
            return len(self._held) > WRITERS

    def _let_go(self, claim: Claim) -> None:
        with self._lock:
            self._held.discard(claim.chunk_id)
            self._answered.discard(claim.chunk_id)
        self._wake.set()

    # --- housekeeping -------------------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        """Renew leases, store log tails, bring back what others lost; each at its own pace."""
        renewed = recovered = time.monotonic()
        self._quietly(_sweep)
        while not self._stopping:
            time.sleep(KEEP_EVERY_S)
            now = time.monotonic()
            self._flush()
            if now - renewed >= RENEW_EVERY_S:
                self._quietly(self._renew)
                renewed = now
            if now - recovered >= self._recover_every_s:
                self._quietly(self._recover)
                recovered = now

    def _renew(self) -> None:
        with self._lock:
            held = list(self._held)
        if held:
            self._claims.renew(held)

    def _recover(self) -> None:
        if recover():
            self._wake.set()

    def _flush(self) -> None:
        with self._lock:
            waiting, self._tails = self._tails, []
        if waiting:
            self._quietly(lambda: tails.keep(waiting))

    @staticmethod
    def _quietly(step: Callable[[], None]) -> None:
        try:
            with database():
                step()
        except DatabaseError as error:
            logger.warning("housekeeping put off, database away error=%s", error)


def _sweep() -> None:
    """What a process that was stopped before could not store any more."""
    if swept := tails.sweep():
        logger.info("log tails stored late count=%s", swept)


_runner: Runner | None = None
_making = threading.Lock()


def this_runner() -> Runner:
    """The runner of this process."""
    global _runner
    with _making:
        if _runner is None:
            _runner = Runner()
        return _runner


def drain(done: Callable[[], bool], patience_s: float = 60.0) -> bool:
    """Work here and now until `done()`; False when that took too long."""
    return Runner().run_until(done, patience_s)
