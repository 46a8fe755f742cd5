"""What goes wrong on purpose, for tests and drills, until its time is over.

throttle  429 instead of running the function
down      the request is read and dropped without an answer; nothing runs. The caller cannot know that
cut       the function runs to its end, then the answer breaks off in the middle
refuse    the port is closed: connections are refused, those that exist are cut, nothing new runs. For the whole
          endpoint only, and it cannot be ended early, as this door is behind the same port
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from embedded.aws.errors import ApiError, invalid, throttled

MODES = ("none", "throttle", "down", "cut", "refuse")
_SYNTAX = (
    'Send {"mode": "throttle" | "down" | "cut" | "refuse" | "none", "seconds": 0..3600} and, if you like, '
    '"share": 0..1 of the invocations, "function": its name, "times": at most so many, '
    'and for throttle "retry_after": 0..3600 seconds'
)


@dataclass
class Fault:
    """One fault. ``until`` is on the monotonic clock; ``struck`` counts whom it hit."""

    mode: str
    until: float
    share: float = 1.0
    function: str = ""
    retry_after: int = 1
    times: int = 0
    """How many invocations it may hit; 0 is no limit."""
    struck: int = field(default=0, compare=False)

    @property
    def whole(self) -> bool:
        """Whether it is about everything at this endpoint, not only about some invocations."""
        return not self.function and self.share >= 1 and not self.times

    def refusal(self) -> ApiError:
        """The 429 of a throttle."""
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded" if self.function else "CallerRateLimitExceeded"
        return throttled(reason, self.retry_after)

    def shown(self) -> dict[str, Any]:
        """For the state door."""
        left = round(max(0.0, self.until - time.monotonic()), 1)
        return {
            "mode": self.mode,
            "seconds": left,
            "share": self.share,
            "function": self.function,
            "struck": self.struck,
        }


class Faults:
    """At most one fault a function and one for all of them, which yields to the function's own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._dice = random.SystemRandom()

    def set(self, fault: Fault) -> None:
        """Let a fault begin in place of the one before it; ``none`` ends that of its function, or all."""
        with self._lock:
            if fault.mode != "none":
                self._faults[fault.function] = fault
            elif fault.function:
                self._faults.pop(fault.function, None)
            else:
                self._faults.clear()

    def whole(self) -> str:
        """The mode the whole endpoint is in now."""
        fault = self._current("")
        return fault.mode if fault and fault.whole else "none"

    def strikes(self, function: str) -> Fault | None:
        """The fault that hits this invocation, if one does; rolls the dice of its share."""
        with self._lock:
            fault = self._current(function) or self._current("")
            if fault is None or (fault.share < 1 and self._dice.random() >= fault.share):
                return None
            fault.struck += 1
            return fault

    def mode(self) -> str:
        """For the state door: that of the whole endpoint, else of any function, else none."""
        return next((fault["mode"] for fault in self.shown()), "none")

    def shown(self) -> list[dict[str, Any]]:
        """For the state door: all there are now."""
        return [fault.shown() for name in sorted(self._faults.copy()) if (fault := self._current(name))]

    def _current(self, function: str) -> Fault | None:
        fault = self._faults.get(function)
        if fault is None or time.monotonic() >= fault.until or (fault.times and fault.struck >= fault.times):
            return None
        return fault


def fault_of(wish: Any) -> Fault:
    """The fault that a request to the door describes; 400 when it describes none."""
    try:
        fault = Fault(
            wish["mode"],
            time.monotonic() + float(wish.get("seconds", 0)),
            float(wish.get("share", 1)),
            str(wish.get("function", "")),
            int(wish.get("retry_after", 1)),
            int(wish.get("times", 0)),
        )
        fits = fault.mode in MODES and 0 <= float(wish.get("seconds", 0)) <= 3600 and 0 <= fault.share <= 1
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise invalid(_SYNTAX) from None
    if (
        not fits
        or fault.times < 0
        or not 0 <= fault.retry_after <= 3600
        or (fault.mode == "refuse" and not fault.whole)
    ):
        raise invalid(_SYNTAX)
    return fault
