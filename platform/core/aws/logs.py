"""Reading log events from CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.aws.clients import OWN, Access, management_client


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event; `message` may hold several physical lines."""

    at: datetime
    message: str
    stream: str
    event_id: str


def pull_events(
    log_group: str,
    *,
    start: datetime,
    end: datetime,
    region: str = "",
    pattern: str = "",
    stream: str = "",
    limit: int = 10_000,
    access: Access = OWN,
) -> Iterator[LogEvent]:
    """Events of `[start, end)`, oldest first within a page, at most `limit`; of one `stream` if it is named.

    Pages hold 1 MB or 10,000 events and may be empty although more follow (AWS documentation, read 2026-11-23).

    Raises:
        AwsError: the group does not exist, or AWS cannot be reached.
    """
    client = management_client("logs", region, access)
    arguments: dict[str, Any] = {
        "logGroupName": log_group,
        "startTime": int(start.timestamp() * 1000),
        "endTime": int(end.timestamp() * 1000) - 1,
    }
    if pattern:
        arguments["filterPattern"] = pattern
    if stream:
        arguments["logStreamNames"] = [stream]
    given = 0
    while given < limit:
        page = client.filter_log_events(**arguments)
        for event in page.get("events", []):
            yield LogEvent(
                at=datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC),
                message=event["message"],
                stream=event.get("logStreamName", ""),
                event_id=event.get("eventId", ""),
            )
            given += 1
            if given >= limit:
                return
        token = page.get("nextToken")
        if not token:
            return
        arguments["nextToken"] = token
