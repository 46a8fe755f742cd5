"""The adapter between Lambda and the work on one item.

    handler = batch_handler(render_item)
    handler = batch_handler(fetch_item, prepare=open_connection, floor_s=20)

One call: read the request, fetch its items if they went through storage, prepare what the items share, work item by
item, hand back what the time no longer suffices for, answer inline or through storage. Two log lines: the first says
which chunk the invocation works on, so that it can be found when its answer gets lost; the last says how it went.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from shipments.functions.runtime import storage
from shipments.functions.runtime.answer import Answer
from shipments.functions.runtime.envelope import Context, Item, Request, check_items, parse_request
from shipments.functions.runtime.errors import ItemError

SLOWEST_FACTOR = 1.5
FLOOR_SHARE = 0.5
"""The floor never asks for more than this share of the time the call started with, so that every call gets on."""

Work = Callable[[Item, Context, Any], dict[str, Any]]
Prepare = Callable[[Context], AbstractContextManager[Any]]


class LambdaContext(Protocol):
    """What the runtime needs of the object AWS passes as second argument."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


Handler = Callable[[Any, LambdaContext], dict[str, Any]]


@dataclass
class TimeGuard:
    """Says whether there is time for one more item: 1.5 times the slowest so far, and never less than the floor."""

    context: LambdaContext
    floor_ms: float
    slowest_ms: float = 0

    @classmethod
    def start(cls, context: LambdaContext, floor_s: float) -> "TimeGuard":
        return cls(context, min(floor_s * 1000, context.get_remaining_time_in_millis() * FLOOR_SHARE))

    def allows_one_more(self) -> bool:
        needed = max(self.slowest_ms * SLOWEST_FACTOR, self.floor_ms)
        return self.context.get_remaining_time_in_millis() >= needed

    def took(self, seconds: float) -> None:
        self.slowest_ms = max(self.slowest_ms, seconds * 1000)


def batch_handler(work: Work, *, prepare: Prepare | None = None, floor_s: float = 1.0) -> Handler:
    """A Lambda handler that answers batch envelopes by calling `work(item, context, shared)` for each item.

    `work` returns the item's value (JSON, with Binary objects for files) or raises ItemError; any other exception also
    becomes that item's error. `prepare(context)` gives a context manager; what it yields is passed as `shared`, and
    what it raises on entering becomes the error of every item. `floor_s` is the least time an item may need.
    """
    cold = [True]

    def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
        started = time.monotonic()
        guard = TimeGuard.start(context, floor_s)
        request = parse_request(event)
        _log("INFO", "chunk begun", request, context)
        items = request.items
        if items is None:
            items = check_items(storage.read_json(str(request.items_uri)))
        answer = Answer(request.results, expected=len(items))
        _work_through(work, prepare or _nothing, request.context, items, answer, guard)
        stats = _stats(answer, guard, time.monotonic() - started, cold=cold[0])
        cold[0] = False
        errors = Counter(entry["error"]["type"] for entry in answer.entries if not entry["ok"])
        _log("WARN" if errors else "INFO", "chunk worked", request, context, **stats, errors=dict(errors))
        return answer.finish(stats)

    return handler


def _work_through(
    work: Work, prepare: Prepare, context: Context, items: list[Item], answer: Answer, guard: TimeGuard
) -> None:
    """Fill `answer` with exactly one entry or hand-back for each of `items`."""
    done = 0
    try:
        with prepare(context) as shared:
            for item in items:
                if not guard.allows_one_more():
                    break
                started = time.monotonic()
                try:
                    answer.succeed(item["id"], work(item, context, shared), since=started)
                except Exception as error:  # noqa: BLE001  # whatever happens to one item must not take the others along
                    answer.fail(item["id"], as_item_error(error), since=started)
                done += 1
                guard.took(time.monotonic() - started)
    except Exception as error:  # noqa: BLE001  # preparing failed: the reason belongs to every item it was for
        if done == 0 and items:
            for item in items:
                answer.fail(item["id"], as_item_error(error))
            done = len(items)
    answer.hand_back([item["id"] for item in items[done:]])


def as_item_error(error: Exception) -> ItemError:
    """`error` in wire words. Trouble of the machine (network, files, memory) may pass; a wrong value will not."""
    if isinstance(error, ItemError):
        return error
    retryable = isinstance(error, OSError | MemoryError)
    return ItemError(type(error).__name__, str(error) or "no further words", retryable)


def _nothing(context: Context) -> AbstractContextManager[None]:
    return nullcontext()


def _stats(answer: Answer, guard: TimeGuard, seconds: float, *, cold: bool) -> dict[str, Any]:
    succeeded = sum(1 for entry in answer.entries if entry["ok"])
    return {
        "seconds": round(seconds, 3),
        "slowest_item_s": round(guard.slowest_ms / 1000, 3),
        "items": answer.expected,
        "succeeded": succeeded,
        "failed": len(answer.entries) - succeeded,
        "unfinished": len(answer.unfinished),
        "stored_files": answer.stored_files,
        "cold": cold,
    }


def _log(level: str, message: str, request: Request, context: LambdaContext, **facts: Any) -> None:
    """One JSON line about the call: ids of batch and chunk, counts, kinds of error; no payload, no message text."""
    line = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level,
        "message": message,
        "requestId": context.aws_request_id,
        "function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        "batch": request.batch,
        "chunk": request.chunk,
        **facts,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
