"""The AWS/Lambda metrics of real invocations, written to CloudWatch (moto's) in the background.

A minute without calls has no datapoint; an error carries the minute its call started in. Both as on AWS. So does the
number of concurrent executions of every minute in which something ran.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import defaultdict
from typing import Any

from embedded.aws.environment import Outcome
from embedded.aws.functions import Function
from embedded.aws.upstream import Upstream

_FLUSH_EVERY_S = 2.0
_VALUES = 150  # per datum, limit of PutMetricData
_DATA = 500  # per call, under PutMetricData's 1,000
_Key = tuple[str, str, int]
"""Region, function and minute since 1970."""


class MetricShipper:
    """Collects Invocations, Errors, Duration, Throttles and ConcurrentExecutions per function and minute."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._durations: dict[_Key, list[float]] = defaultdict(list)
        self._errors: dict[_Key, int] = defaultdict(int)
        self._throttles: dict[_Key, int] = defaultdict(int)
        self._running: dict[tuple[str, str], int] = defaultdict(int)
        self._most: dict[_Key, int] = {}
        self._written: dict[_Key, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def began(self, function: Function) -> None:
        """Count one more that runs."""
        with self._lock:
            self._running[function.key] += 1
            self._keep_most(function.key, int(time.time() // 60))

    def ended(self, function: Function) -> None:
        """One less."""
        with self._lock:
            self._running[function.key] -= 1

    def _keep_most(self, function: tuple[str, str], minute: int) -> None:
        key = (*function, minute)
        self._most[key] = max(self._most.get(key, 0), self._running[function])

    def invocation(self, function: Function, outcome: Outcome) -> None:
        """Count a finished invocation."""
        key = (*function.key, int(outcome.started // 60))
        with self._lock:
            self._durations[key].append(round(outcome.measured.duration_ms, 2))
            self._errors[key] += bool(outcome.function_error)

    def throttle(self, function: Function, at: float) -> None:
        """Count a call that was refused at a time (seconds since 1970)."""
        with self._lock:
            self._throttles[(*function.key, int(at // 60))] += 1

    def close(self, timeout: float) -> None:
        """Write what is there, within the time (seconds)."""
        self._stop.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        more = True
        while more:
            more = not self._stop.wait(_FLUSH_EVERY_S)
            for region, data in self._take().items():
                for at in range(0, len(data), _DATA):
                    members = {"Namespace": "AWS/Lambda", "MetricData": data[at : at + _DATA]}
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        self._upstream.target(
                            "monitoring", region, "GraniteServiceVersion20100801.PutMetricData", members
                        )

    def _take(self) -> dict[str, list[dict[str, Any]]]:
        """Everything collected since the last time, as PutMetricData members by region."""
        with self._lock:
            durations, self._durations = self._durations, defaultdict(list)
            errors, self._errors = self._errors, defaultdict(int)
            throttles, self._throttles = self._throttles, defaultdict(int)
            most = self._take_most(int(time.time() // 60))
        data: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for key, values in durations.items():
            data[key[0]].append(_datum(key, "Invocations", "Count", Value=len(values)))
            data[key[0]].append(_datum(key, "Errors", "Count", Value=errors[key]))
            for at in range(0, len(values), _VALUES):
                data[key[0]].append(_datum(key, "Duration", "Milliseconds", Values=values[at : at + _VALUES]))
        for key, count in throttles.items():
            data[key[0]].append(_datum(key, "Throttles", "Count", Value=count))
        for key, count in most.items():
            data[key[0]].append(_datum(key, "ConcurrentExecutions", "Count", Value=count))
        return data

    def _take_most(self, minute: int) -> dict[_Key, int]:
        """Peaks that are higher than what was written of their minute; what runs on counts in every minute."""
        for function, running in self._running.items():
            if running:
                self._keep_most(function, minute)
        rising = {key: most for key, most in self._most.items() if most > self._written.get(key, 0)}
        self._most = {key: most for key, most in self._most.items() if key[2] >= minute}
        self._written = {key: most for key, most in (self._written | rising).items() if key[2] >= minute}
        return rising


def _datum(key: _Key, metric: str, unit: str, **value: Any) -> dict[str, Any]:
    _, function, minute = key
    dimensions = [{"Name": "FunctionName", "Value": function}]
    return {"MetricName": metric, "Unit": unit, "Timestamp": minute * 60, "Dimensions": dimensions, **value}
