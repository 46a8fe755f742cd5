"""Names under which the fault function is published: each test has its own.

The planner sizes chunks by what a function has done before, and what came of a plain run whose answer was lost is read
from its function's log: other traffic of the same function would change both.
"""

import uuid

_TAG = uuid.uuid4().hex[:6]
ALL: list[str] = []


def _own(purpose: str) -> str:
    ALL.append(f"fault-{purpose}-{_TAG}")
    return ALL[-1]


OUTAGE, OUTAGE_PLAIN, OUTAGE_STARTED = _own("outage"), _own("outage-plain"), _own("outage-started")
CUT, CUT_PLAIN, LOST, KILLED = _own("cut"), _own("cut-plain"), _own("lost"), _own("killed")
BAD, POISON, THROTTLED, THROTTLED_PLAIN = _own("bad"), _own("poison"), _own("throttled"), _own("throttled-plain")
REPEATED, RETRIED = _own("repeated"), _own("retried")
JUMPS = {jump: (_own(f"{jump}-chunks"), _own(f"{jump}-plain"), _own(f"{jump}-waits")) for jump in ("forward", "back")}
BROKER, BROKER_STARTED = (_own("broker"), _own("broker-plain")), _own("broker-started")
DATABASE = (_own("database"), _own("database-plain"))
MANY = _own("many")
