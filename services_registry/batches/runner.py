"""The runner: one per worker process. It claims chunks as long as there is room, and works on each in a thread.

The broker only wakes it up; without a broker it looks by itself every two seconds. What it holds is known to the
database by leases, so whatever happens to this process, another one goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from services_registry.batches import tails
from services_registry.batches.claims import RENEW_EVERY_S, Claim, Claims
from services_registry.batches.gates import Gates
from services_registry.batches.hand import Hand
from services_registry.batches.recover import recover
from services_registry.batches.run import Worked, ask, database, write
from services_registry.batches.settle import clear_exchange
from services_registry.batches.settle_many import write_successes
from services_registry.batches.tails import Tail

logger = logging.getLogger(__name__)

IDLE_POLL_S = 2.0
BUSY_POLL_S = 0.25
"""While something is under way: how soon a changed limit, a resumed batch or a pause that is over is seen."""
WRITERS = 4
RECOVER_EVERY_S = 10.0
KEEP_EVERY_S = 0.5
SWEEP_EVERY_S = 300.0
FLUSH_EVERY_S = 2.0
"""Storing log tails costs more by the round than by the tail."""


class Runner:
    """Safe to make anywhere; nothing happens until `start` or `run_until`."""

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads or settings.BATCH_THREADS
        self._claims = Claims()
        self._gates = Gates()
        self._hand = Hand()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._held: set[UUID] = set()
        self._answered: set[UUID] = set()
        self._unwritten: list[Worked] = []
        self._tails: list[Tail] = []
        self._holding = self._stopping = False
        self._recover_every_s = RECOVER_EVERY_S
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="chunk")
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
        self._quietly(self._give_back)
        while self._held and time.monotonic() < deadline:
            if not self._own_threads:  # nobody else takes turns any more
                self._quietly(self._write_plain)
            time.sleep(0.02)
        self._stopping = True
        self._wake.set()
        self._flush()
        self._pool.shutdown(wait=False, cancel_futures=True)
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
                claimed = self._turn()
            except (OperationalError, InterfaceError) as error:
                logger.warning("nothing claimed, database away error=%s", error)
                connection.close()
                time.sleep(1.0)
                continue
            except Exception:  # without this thread nothing goes on; the next turn may be better
                logger.exception("turn failed")
                connection.close()
                time.sleep(1.0)
                continue
            if not claimed:
                if not self._held:
                    connection.close()
                self._wait(BUSY_POLL_S if self._held else IDLE_POLL_S)
        connection.close()

    def _turn(self) -> int:
        """Hand out the free places, then write what is left to this thread; returns how many chunks were begun."""
        self._wake.clear()
        with self._lock:
            placeless = [*self._answered, *self._hand.ids()]
            room = self.threads - len(self._held) + len(placeless)
        begun = 0
        if room > 0 and not self._holding:
            taken = self._claims.turn(
                room, answered=placeless, gate=self._gates.limit, in_hand=self._hand.counts(), ahead=self._hand.wanted
            )
            with self._lock:
                self._held.update(claim.chunk_id for claim in (*taken.now, *taken.ahead))
                self._hand.add(taken.ahead)
            from_hand = [
                claim for batch_id, count in taken.from_hand.items() for claim in self._hand.take(batch_id, count)
            ]
            for claim in (*from_hand, *taken.now):
                self._pool.submit(self._work, claim)
            self._give_back(taken.stale)
            begun = len(from_hand) + len(taken.now)
        self._write_plain()
        return begun

    def _give_back(self, batches: Collection[UUID] | None = None) -> None:
        """What was claimed ahead and will not be begun soon; without `batches` all of it."""
        with self._lock:
            unused = self._hand.drop(batches)
        if unused:
            self._claims.give_back(unused)
            with self._lock:
                self._held.difference_update(unused)

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
        following = self._on_answer(worked)
        if following is not None:  # of the same batch: whatever let the one run lets the other
            self._pool.submit(self._work, following)
        if worked.plain:
            with self._lock:
                self._unwritten.append(worked)
        else:
            self._writers.submit(self._write, worked)
        self._wake.set()

    def _on_answer(self, worked: Worked) -> Claim | None:
        """After a success its place is free before that is written, and the next chunk in hand of its batch gets it.

        After anything else the place is kept until it is written: the batch may halt.
        """
        claim, invocation = worked.claim, worked.invocation
        if invocation is None or not worked.all_succeeded:
            return None
        with self._lock:
            self._answered.add(claim.chunk_id)
            self._hand.took(claim.function, invocation.seconds)
            if self._holding:
                return None
            return next(iter(self._hand.take(claim.batch_id, 1)), None)

    def _write_plain(self) -> None:
        """Many at once, by the thread that takes the turns; when the database is away they are kept for the next."""
        with self._lock:
            waiting = list(self._unwritten)
        if not waiting:
            return
        for batch_id in write_successes(waiting):
            self._writers.submit(clear_exchange, batch_id)  # asks AWS: not in the thread that takes the turns
        with self._lock:
            del self._unwritten[: len(waiting)]
            self._tails += [tail for worked in waiting if (tail := worked.tail)]
        for worked in waiting:
            self._let_go(worked.claim)

    def _write(self, worked: Worked) -> None:
        """In a thread that keeps its connection to the database while there is more to do."""
        try:
            if write(worked) and (tail := worked.tail):
                with self._lock:
                    self._tails.append(tail)
        except Exception:  # the same as above
            logger.exception("chunk not settled batch=%s chunk=%s", worked.claim.batch.pk, worked.claim.chunk_id)
        finally:
            self._let_go(worked.claim)
            if len(self._held) < WRITERS:
                connection.close()

    def _let_go(self, claim: Claim) -> None:
        with self._lock:
            self._held.discard(claim.chunk_id)
            told = claim.chunk_id in self._answered
            self._answered.discard(claim.chunk_id)
        if not told or not self._held:  # otherwise its place was given away when the answer came
            self._wake.set()

    # --- housekeeping -------------------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        """Renew leases, store log tails, bring back what others lost; each at its own pace."""
        renewed = recovered = flushed = swept = time.monotonic()
        self._quietly(_sweep)
        while not self._stopping:
            time.sleep(KEEP_EVERY_S)
            now = time.monotonic()
            if now - flushed >= FLUSH_EVERY_S or len(self._tails) >= tails.AT_ONCE or not self._held:
                self._flush()
                flushed = now
            if now - renewed >= RENEW_EVERY_S:
                self._quietly(self._renew)
                renewed = now
            if now - swept >= SWEEP_EVERY_S:
                self._quietly(_sweep)
                swept = now
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
        except (OperationalError, InterfaceError) as error:
            logger.warning("housekeeping put off, database away error=%s", error)
        except Exception:  # the other steps must go on
            logger.exception("housekeeping failed")


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
