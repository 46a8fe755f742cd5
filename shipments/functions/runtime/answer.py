"""Writing an answer that fits: entries are counted as they come in, files leave inline room or go to storage."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from shipments.functions.runtime import storage
from shipments.functions.runtime.envelope import VERSION, ResultsPlace
from shipments.functions.runtime.errors import ItemError

FRAME_BYTES = 2_000
"""Kept free for the answer's own fields (version, stats, addresses)."""
ENTRY_BYTES = 700
"""Kept free for each item still to come, so that early files do not use up the room of late errors."""
MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class Binary:
    """A file inside a value: the runtime sends it inline as base64 or through storage, whichever fits."""

    content: bytes
    content_type: str = "application/octet-stream"


@dataclass
class Answer:
    """The answer of one chunk while it grows.

    `expected` is how many items were asked for, `used` the bytes of answer so far, `promised` the base64 bytes of the
    entry being built.
    """

    place: ResultsPlace
    expected: int
    entries: list[dict[str, Any]] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    used: int = FRAME_BYTES
    promised: int = 0
    stored_files: int = 0

    def succeed(self, item_id: str, value: Any, *, since: float) -> None:
        """Add the value of one item; every Binary in it is replaced by its wire form.

        `since` is the reading of `time.monotonic()` when its work began; storing its files counts as its time.
        Raises TypeError or ValueError for a value that is not JSON, ItemError when a file finds no room; the answer is
        unchanged then.
        """
        self.promised = 0
        value = self._send(value)
        self._add({"id": item_id, "ok": True, "ms": _ms(since), "value": value})

    def fail(self, item_id: str, error: ItemError, *, since: float | None = None) -> None:
        """Add the error of one item; without `since` it was not begun, and took no time."""
        message = error.message[:MESSAGE_LENGTH]
        wire = {"type": error.type, "message": message, "retryable": error.retryable}
        self._add({"id": item_id, "ok": False, "ms": _ms(since), "error": wire})

    def hand_back(self, ids: list[str]) -> None:
        """Name the items that were not attempted."""
        self.unfinished = ids
        self.used += size_of(ids)

    def finish(self, stats: dict[str, Any]) -> dict[str, Any]:
        """The response. The whole list of results goes to storage when the answer would pass the inline limit."""
        response: dict[str, Any] = {"version": VERSION, "unfinished": self.unfinished, "stats": stats}
        if self.used <= self.place.inline_limit or not self.place.bucket:
            return {**response, "results": self.entries}
        body = json.dumps(self.entries, allow_nan=False).encode()
        key = f"{self.place.prefix}results.json"
        return {**response, "results_uri": storage.write(self.place.bucket, key, body, "application/json")}

    def _add(self, entry: dict[str, Any]) -> None:
        size = size_of(entry)
        self.entries.append(entry)
        self.used += size + 2

    def _send(self, value: Any) -> Any:
        """`value` with every Binary replaced; a tree of plain JSON otherwise stays as it is."""
        if isinstance(value, Binary):
            return self._send_file(value)
        if isinstance(value, dict):
            return {key: self._send(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._send(part) for part in value]
        return value

    def _send_file(self, file: Binary) -> dict[str, Any]:
        sha256 = hashlib.sha256(file.content)
        digest = sha256.hexdigest()
        wire: dict[str, Any] = {"bytes": len(file.content), "sha256": digest}
        encoded = (len(file.content) + 2) // 3 * 4
        waiting = max(self.expected - len(self.entries), 1) * ENTRY_BYTES
        if self.used + self.promised + encoded + waiting <= self.place.inline_limit:
            self.promised += encoded
            return {"content_b64": base64.b64encode(file.content).decode(), **wire}
        if not self.place.bucket:
            raise ItemError("NoRoom", "the answer is full and the request names no results bucket: send fewer items")
        # The position keeps equal files of two items apart: removing one must not remove the other.
        key = f"{self.place.prefix}files/{len(self.entries):05d}-{self.stored_files:05d}-{digest}"
        uri = storage.write(self.place.bucket, key, file.content, file.content_type, sha256=sha256.digest())
        self.stored_files += 1
        return {"uri": uri, **wire}


def _ms(since: float | None) -> float:
    return 0.0 if since is None else round((time.monotonic() - since) * 1000, 1)


def size_of(value: Any) -> int:
    """Bytes of `value` as JSON at most; raises TypeError or ValueError for what JSON cannot hold (sets, NaN)."""
    return len(json.dumps(value, allow_nan=False))
