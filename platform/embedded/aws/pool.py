"""Which environments exist, and how many may run at once."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import Any

from embedded.aws.environment import Environment
from embedded.aws.errors import throttled
from embedded.aws.functions import Function
from embedded.aws.options import Options
from embedded.aws.processes import Spawner

_WarmKey = tuple[str, str, str, str]
_REAP_EVERY_S = 2.0


def _warm_key(function: Function) -> _WarmKey:
    return (*function.key, function.version, function.revision)


class Pool:
    """Warm environments by function and revision. Concurrency is counted as AWS does: per function when it has a
    reservation, and over the account. Unlike AWS a reservation is not taken out of the account's limit: 50 would not
    go far.
    """

    def __init__(self, options: Options, spawner: Spawner, endpoint: str) -> None:
        self._options = options
        self._spawner = spawner
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._idle: dict[_WarmKey, list[Environment]] = defaultdict(list)
        self._busy: set[Environment] = set()
        self._running: dict[tuple[str, str], int] = defaultdict(int)
        self._retired: dict[tuple[str, str], float] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._reap, name="reaper", daemon=True).start()

    def acquire(self, function: Function) -> Environment:
        """A warm environment, or a new one; 429 when a limit is reached."""
        with self._lock:
            if function.reserved is not None and self._running[function.key] >= function.reserved:
                raise throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
            if len(self._busy) >= self._options.account_limit:
                raise throttled("ConcurrentInvocationLimitExceeded")
            warm = self._idle.get(_warm_key(function), [])
            environment = None
            while warm and environment is None:
                candidate = warm.pop()
                if candidate.usable():
                    environment = candidate
                else:
                    candidate.close()
            environment = environment or Environment(function, self._options, self._spawner, self._endpoint)
            self._busy.add(environment)
            self._running[function.key] += 1
        return environment

    def release(self, environment: Environment) -> None:
        """Give it back: kept warm, unless it died or its function has changed since it was created."""
        function = environment.function
        with self._lock:
            self._busy.discard(environment)
            self._running[function.key] -= 1
            retired = environment.created < self._retired.get(function.key, 0.0)
            keep = environment.usable() and not retired and not self._closed.is_set()
            if keep:
                environment.idle_since = time.monotonic()
                self._idle[_warm_key(function)].append(environment)
        if not keep:
            environment.close()

    def retire(self, region: str, name: str) -> None:
        """The function's code or configuration has changed: warm environments go now, running ones when they are
        done.
        """
        with self._lock:
            self._retired[(region, name)] = time.time()
            keys = [key for key in self._idle if key[:2] == (region, name)]
            old = [environment for key in keys for environment in self._idle.pop(key)]
        for environment in old:
            environment.close()

    def state(self) -> dict[str, Any]:
        """For the state door."""
        with self._lock:
            listed = [("running", one) for one in self._busy]
            listed += [("idle", one) for warm in self._idle.values() for one in warm]
        return {
            "running": sum(1 for status, _ in listed if status == "running"),
            "idle": sum(1 for status, _ in listed if status == "idle"),
            "environments": [
                {
                    "function": one.function.name,
                    "region": one.function.region,
                    "version": one.function.version,
                    "status": status,
                    "pid": one.pid,
                    "age_s": round(time.time() - one.created, 1),
                }
                for status, one in listed
            ],
        }

    def close(self) -> None:
        """Kill every environment."""
        self._closed.set()
        with self._lock:
            everything = [one for warm in self._idle.values() for one in warm] + list(self._busy)
            self._idle.clear()
        for environment in everything:
            environment.close()

    def _reap(self) -> None:
        while not self._closed.wait(min(_REAP_EVERY_S, self._options.idle_seconds / 2)):
            for environment in self._take_excess():
                environment.close()

    def _take_excess(self) -> list[Environment]:
        """Remove from the idle ones what is too old, then the oldest above the cap."""
        oldest_allowed = time.monotonic() - self._options.idle_seconds
        with self._lock:
            idle = sorted((one.idle_since, key) for key, warm in self._idle.items() for one in warm)
            surplus = max(0, len(idle) - self._options.max_idle)
            drop = [key for at, (since, key) in enumerate(idle) if at < surplus or since < oldest_allowed]
            excess = [self._idle[key].pop(0) for key in drop]  # the front of a list is its oldest
            for key in [key for key, warm in self._idle.items() if not warm]:
                del self._idle[key]
        return excess
