"""Asynchronous invocation: a queue, two retries, then a dead-letter queue or a destination.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html (2026-11-23): function errors are
retried after one and two minutes; throttled events return with a backoff of 1 s to 5 min until they are too old; with
a reserved concurrency of 0 an event goes straight to its end. The queue is in memory: what waits in it at a stop is
lost.
"""

from __future__ import annotations

import heapq
import http.client
import itertools
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from embedded.aws.delivery import Mailer
from embedded.aws.environment import Outcome
from embedded.aws.errors import ApiError
from embedded.aws.executor import Executor
from embedded.aws.functions import Function
from embedded.aws.options import Options

RETRY_WAITS_S = (60.0, 120.0)
THROTTLE_WAITS_S = (1.0, 300.0)
"""First and longest backoff of a throttled event."""


@dataclass
class Event:
    """One accepted event. ``retries`` counts function errors, ``throttles`` refusals, ``runs`` real invocations."""

    region: str
    name: str
    qualifier: str
    request_id: str
    payload: bytes
    accepted: float
    retries: int = 0
    throttles: int = 0
    runs: int = 0


class AsyncQueue:
    """Events by the time they are due, run by at most as many threads as the account may run functions."""

    def __init__(
        self, options: Options, executor: Executor, resolve: Callable[[str, str, str], Function], mailer: Mailer
    ) -> None:
        self._scale = options.retry_scale
        self._executor = executor
        self._resolve = resolve
        self._mailer = mailer
        self._due: list[tuple[float, int, Event]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._in_flight = 0
        self._closed = False
        self._workers = ThreadPoolExecutor(options.account_limit, thread_name_prefix="async")
        threading.Thread(target=self._dispatch, name="async-queue", daemon=True).start()

    def put(self, event: Event, wait: float = 0.0) -> None:
        """Queue an event, due after some seconds."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + wait, next(self._order), event))
            self._changed.notify()

    def state(self) -> dict[str, int]:
        """For the state door."""
        with self._changed:
            return {"waiting": len(self._due), "in_flight": self._in_flight}

    def close(self) -> None:
        """Run nothing further."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._due or self._due[0][0] > time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                event = heapq.heappop(self._due)[2]
                self._in_flight += 1
                self._workers.submit(self._work, event)

    def _work(self, event: Event) -> None:
        try:
            self._run(event)
        except ApiError as gone:  # the function was deleted meanwhile: AWS drops the event too
            sys.stderr.write(f"async event {event.request_id} for {event.name} dropped: {gone.message}\n")
        except (OSError, http.client.HTTPException):  # our own fault, not the function's: AWS keeps the event as well
            self.put(event, THROTTLE_WAITS_S[0])
        finally:
            with self._changed:
                self._in_flight -= 1

    def _run(self, event: Event) -> None:
        """One attempt and what follows from it."""
        function = self._resolve(event.region, event.name, event.qualifier)
        if function.reserved == 0:
            self._mailer.failed(function, event, "ZeroReservedConcurrency", None)
        elif self._too_old(event, function, 0.0):
            self._mailer.failed(function, event, "EventAgeExceeded", None)
        else:
            self._attempt(event, function)

    def _attempt(self, event: Event, function: Function) -> None:
        try:
            outcome = self._executor.run(function, event.request_id, event.payload)
        except ApiError as refused:
            if refused.status != 429:
                raise
            first, longest = THROTTLE_WAITS_S
            wait = min(first * 2**event.throttles, longest) * self._scale
            event.throttles += 1
            self._again(event, function, wait, None)
            return
        event.runs += 1
        if not outcome.function_error:
            self._mailer.succeeded(function, event, outcome)
        elif event.retries >= function.rules.retries:
            self._mailer.failed(function, event, "RetriesExhausted", outcome)
        else:
            wait = RETRY_WAITS_S[min(event.retries, 1)] * self._scale
            event.retries += 1
            self._again(event, function, wait, outcome)

    def _again(self, event: Event, function: Function, wait: float, outcome: Outcome | None) -> None:
        """Back into the queue, unless it would be too old by then."""
        if self._too_old(event, function, wait):
            self._mailer.failed(function, event, "EventAgeExceeded", outcome)
        else:
            self.put(event, wait)

    def _too_old(self, event: Event, function: Function, wait: float) -> bool:
        return time.time() + wait - event.accepted > function.rules.max_age_s * self._scale
