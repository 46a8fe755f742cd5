"""What a webhook says, read into events with a reason for everything that is none. Pure: never raises, no database.

Our envelope, for carriers (or the company's own tools) that can choose:

    {"events": [{"tracking_number": "1Z…", "code": "DLV", "text": "Delivered", "at": "2026-11-23T14:30:00+01:00",
                 "place": "Lyon", "id": "…"}]}

`at` carries its zone. `code` or `text` must be there, `place` and `id` need not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST_EVENTS = 10_000
LONGEST = {"tracking_number": 40, "code": 40, "text": 500, "place": 120}
YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True)
class Said:
    """One event as a carrier states it; `index` is its place in the body."""

    index: int
    tracking_number: str
    at: datetime
    code: str = ""
    text: str = ""
    place: str = ""
    status: str = ""
    """Said outright, by a person or a tool of ours; else its code says it."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an event (or with index -1 the whole body) is not taken; `code` is stable."""

    index: int
    code: str
    message: str


@dataclass(slots=True)
class Parsed:
    events: list[Said] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class BadEventError(ValueError):
    """One event cannot be taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Adapter = Callable[[Any], list[Any]]
"""From a carrier's own JSON to a list of events in the shape of our envelope. May raise anything on what it does not know."""


def parse(body: str, adapter: Adapter | None = None) -> Parsed:
    """Everything the body says; an adapter first brings it into our shape."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Parsed(faults=[Fault(-1, "not_json", f"The body is not JSON: {error}")])
    try:
        listed = (adapter or envelope)(found)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError, OSError) as error:
        return Parsed(
            faults=[Fault(-1, "unknown_shape", f"The body has not the shape of this carrier's events: {error}")]
        )
    if len(listed) > MOST_EVENTS:
        return Parsed(faults=[Fault(-1, "too_many", f"The body has {len(listed)} events; at most {MOST_EVENTS}.")])
    parsed = Parsed()
    for index, raw in enumerate(listed):
        try:
            parsed.events.append(read_event(index, raw))
        except BadEventError as error:
            parsed.faults.append(Fault(index, error.code, str(error)))
    return parsed


def envelope(found: Any) -> list[Any]:
    """The events of our own shape."""
    if not isinstance(found, Mapping) or not isinstance(found.get("events"), list):
        raise ValueError('expected {"events": [...]}')
    events: list[Any] = found["events"]
    return events


def read_event(index: int, raw: Any) -> Said:
    """One event in our shape. Raises BadEventError."""
    if not isinstance(raw, Mapping):
        raise BadEventError("not_object", "is not an object with tracking_number, at, and code or text")
    number, code = _text(raw, "tracking_number"), _text(raw, "code")
    if not number:
        raise BadEventError("missing", "tracking_number is missing")
    for name, value in (("tracking_number", number), ("code", code)):
        if len(value) > LONGEST[name]:
            raise BadEventError("too_long", f"{name} has more than {LONGEST[name]} characters")
    text, place = _text(raw, "text"), _text(raw, "place")
    if not code and not text:
        raise BadEventError("missing", "code or text is missing")
    return Said(index, number, _moment(raw.get("at")), code, _cut(text, LONGEST["text"]), _cut(place, LONGEST["place"]))


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadEventError("not_text", f"{name} must be text")
    return str(value).encode("utf-8", "replace").decode().replace("\0", "\ufffd").strip()


def _cut(text: str, longest: int) -> str:
    """The whole text stays in the raw body."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise BadEventError("bad_time", "at must be text like 2026-11-23T14:30:00+01:00")
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            raise BadEventError("no_zone", "at has no time zone; write 2026-11-23T14:30:00+01:00 or …Z")
        moment = moment.astimezone(UTC)
    except BadEventError:
        raise
    except (ValueError, OverflowError) as error:
        raise BadEventError("bad_time", "at is not a time like 2026-11-23T14:30:00+01:00") from error
    if moment.year not in YEARS:
        raise BadEventError("bad_time", f"the year {moment.year} cannot be right")
    return moment
