"""Function logs on their way to CloudWatch Logs (moto's): in the background, in batches, never in an invocation's
way.
"""

from __future__ import annotations

import http.client
import queue
import threading
import time
from collections import defaultdict
from typing import NamedTuple

from embedded.aws.report import LogEvent
from embedded.aws.upstream import Upstream

_FLUSH_EVERY_S = 0.3
_BATCH = 5_000  # PutLogEvents takes 10,000 events or 1 MiB
_BATCH_BYTES = 900_000
_WAITING_LIMIT = 20_000  # invocations; beyond it the newest are dropped and counted


class _Stream(NamedTuple):
    region: str
    group: str
    name: str


class LogShipper:
    """Takes the events of finished invocations and writes them; ``dropped`` counts events that could not be written."""

    def __init__(self, upstream: Upstream) -> None:
        self.dropped = 0
        self._upstream = upstream
        self._waiting: queue.Queue[tuple[_Stream, list[LogEvent]] | None] = queue.Queue(_WAITING_LIMIT)
        self._known: set[tuple[str, ...]] = set()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def put(self, region: str, group: str, stream: str, events: list[LogEvent]) -> None:
        """Queue the events of one invocation."""
        try:
            self._waiting.put_nowait((_Stream(region, group, stream), events))
        except queue.Full:
            self.dropped += len(events)

    def waiting(self) -> int:
        """Invocations whose log is not written yet."""
        return self._waiting.qsize()

    def close(self, timeout: float) -> None:
        """Write what is there, within the time (seconds)."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        more = True
        while more:
            time.sleep(_FLUSH_EVERY_S)
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            more = None not in batch
            streams: dict[_Stream, list[LogEvent]] = defaultdict(list)
            for item in batch:
                if item:
                    streams[item[0]].extend(item[1])
            for stream, events in streams.items():
                self._write(stream, sorted(events, key=lambda event: event[0]))

    def _write(self, stream: _Stream, events: list[LogEvent]) -> None:
        part: list[dict[str, object]] = []
        size = 0
        for at, message in events:
            if part and (len(part) >= _BATCH or size + len(message) > _BATCH_BYTES):
                self._put_events(stream, part)
                part, size = [], 0
            part.append({"timestamp": at, "message": message})
            size += len(message) + 26
        self._put_events(stream, part)

    def _put_events(self, stream: _Stream, events: list[dict[str, object]]) -> None:
        members = {"logGroupName": stream.group, "logStreamName": stream.name, "logEvents": events}
        for attempt in (1, 2):
            try:
                self._ensure(stream)
                if self._upstream.target("logs", stream.region, "Logs_20140328.PutLogEvents", members).status == 200:
                    return
                self._known.clear()  # somebody deleted the group
            except (OSError, http.client.HTTPException):
                time.sleep(0.2 * attempt)
        self.dropped += len(events)

    def _ensure(self, stream: _Stream) -> None:
        """Create group and stream once; that they exist already is fine."""
        group, full = (stream.region, stream.group), tuple(stream)
        if group not in self._known:
            self._upstream.target("logs", stream.region, "Logs_20140328.CreateLogGroup", {"logGroupName": stream.group})
            self._known.add(group)
        if full not in self._known:
            members = {"logGroupName": stream.group, "logStreamName": stream.name}
            self._upstream.target("logs", stream.region, "Logs_20140328.CreateLogStream", members)
            self._known.add(full)
