"""Lambda: waits as long as it is told to. A probe for connectivity, concurrency and time-outs.

In: {"seconds": 2.5}; out: {"slept": 2.5}. Asked to wait longer than its own time-out it is ended by it, on purpose.
"""

import time
from typing import Any

LONGEST_S = 900
"""The longest time-out a function can have (AWS Lambda quotas, 2026-11-23)."""


def handler(event: Any, context: object) -> dict[str, float]:
    """Sleep `event["seconds"]` seconds, from 0 to 900; raises ValueError for anything else."""
    seconds = event.get("seconds", 1) if isinstance(event, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_S:
        raise ValueError(f'send {{"seconds": n}} with n from 0 to {LONGEST_S}')
    time.sleep(seconds)
    return {"slept": seconds}
