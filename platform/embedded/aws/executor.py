"""One invocation from a function to its outcome: an environment, the run, the log."""

from __future__ import annotations

import time

from embedded.aws.environment import Outcome
from embedded.aws.errors import ApiError
from embedded.aws.functions import Function
from embedded.aws.logs import LogShipper
from embedded.aws.metrics import MetricShipper
from embedded.aws.pool import Pool


class Executor:
    """What the Invoke API and the asynchronous queue both call."""

    def __init__(self, pool: Pool, logs: LogShipper, metrics: MetricShipper) -> None:
        self._pool = pool
        self._logs = logs
        self._metrics = metrics

    def run(self, function: Function, request_id: str, payload: bytes, client_context: str = "") -> Outcome:
        """Run to the end; 429 (ApiError) when a concurrency limit is reached."""
        try:
            environment = self._pool.acquire(function)
        except ApiError:
            self._metrics.throttle(function, time.time())
            raise
        self._metrics.began(function)
        try:
            outcome = environment.invoke(request_id, payload, client_context)
        finally:
            self._metrics.ended(function)
            self._pool.release(environment)
        self._logs.put(function.region, function.log_group, environment.stream, outcome.events)
        self._metrics.invocation(function, outcome)
        return outcome
