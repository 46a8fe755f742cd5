"""The careful way through log text: prefixes, escapes, spaces for tabs, several lines in one, cut tails, extra text.

How a message is read:

1. Terminal colours are removed, and `\\t` and `\\n` that a tool wrote as two characters become what they stand for.
2. *Anchors* are looked up: `REPORT RequestId:`, `INIT_START`, `Task timed out`, `XRAY TraceId:` and the like.
3. An anchor counts when the structure of its line is there (`REPORT RequestId: <id>` followed by a label, and so on),
   or when it stands where the platform writes it: at the start of a physical line, after nothing but a timestamp,
   stream name, quote, bar or similar. In prose (`waiting for END RequestId: ...`) it is ordinary text, and so it is
   behind the prefix of a Lambda application logger, which quotes another function's line.
4. Between two anchors, `Label: value unit` is read from left to right. A REPORT may be wrapped: a physical line that
   is indented and begins with a known label goes on with it.

An XRAY line behind a REPORT in the same message belongs to that REPORT. Standing alone it is a line of kind XRAY.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services_registry.telemetry.parser import labels
from services_registry.telemetry.parser.lines import (
    NO_STRUCTURE,
    UNKNOWN_MESSAGE,
    Draft,
    PlatformLine,
    Reject,
    reject,
    seal,
)

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ISO_TIME: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_TIME: Final = re.compile(_ISO_TIME)
_TRACE: Final = re.compile(r"\s*(1-[0-9a-f]{8}-[0-9a-f]{24})(?![0-9a-zA-Z])")

_ANCHOR: Final = re.compile(
    r"""
      (?<![\w-])(?P<head>REPORT|START|END)[ \t]+RequestId:[ \t]*(?P<head_id>(?:[^\s"'|,;\\:]{1,80}(?![\w:.-]))?)
    | (?<![\w-])(?P<init>(?:INIT|RESTORE)_(?:START|REPORT))(?![\w-])
    | (?<![\w-])RequestId:[ \t]*(?P<said_id>[^\s"'|,;\\]{1,80})[ \t]+
      (?:Error:[ \t]+(?:(?P<said_timeout>Task\ timed\ out)(?:\ after)?|(?P<said_exit>Runtime\ exited)|(?P<said_other>))
        |(?P<said_gone>Process\ exited\ before\ completing\ request))
    | (?P<timeout>(?<![\w-])Task\ timed\ out)(?:\ after)?
    | (?<![\w-])(?P<xray>XRAY)[ \t]+TraceId:
    | (?<![\w-])(?P<other>EXTENSION|TELEMETRY|LOGS)[ \t]+Name:[ ]
    """,
    re.VERBOSE,
)

_COLOUR: Final = re.compile(r"(?:\x1b|\\u001[bB]|\\x1[bB]|\\033)\[[0-9;]*[A-Za-z]")
_ESCAPED: Final = re.compile(r"\\+([tnr])")
_LINE_BREAK: Final = re.compile(r"\r\n?")
_SECONDS: Final = re.compile(r"[ \t]*([0-9]{1,15}(?:\.[0-9]{1,15})?)[ \t]*seconds?(?![A-Za-z0-9])")
_VERSION: Final = re.compile(r"[ \t]+Version:[ \t]*(\$LATEST(?:\.PUBLISHED)?|[0-9]{1,15})?(?![\w$])")
_RUNTIME_VERSION: Final = re.compile(r"[ \t]*Runtime Version:[ \t]*([^\s|\"']+)(?=\s)")

# Words that may stand right before an anchor: the end of a value of the line before it, when line breaks got lost.
_ENDS_OF_VALUES: Final = frozenset({"ms", "MB", "seconds", "true", "false", "success", "timeout", "error", "failure"})
_PLAIN_WORD: Final = re.compile(r"[A-Za-z]?[a-z]+[.,!?]?")
_LEVEL: Final = re.compile(r"\[?(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\]?:?")
# `[INFO]\t<time>\t<id>\t` (Python) and `<time>\t<id>\tINFO\t` (Node.js): the loggers of Lambda's own runtimes.
_APPLICATION_LOGGER: Final = re.compile(
    rf"\[[A-Z]+\][ \t]+{_ISO_TIME}[ \t]+{_UUID.pattern}[ \t]|{_ISO_TIME}[ \t]+{_UUID.pattern}[ \t]+[A-Z]{{4,8}}[ \t]"
)
_TIMEOUT_PREFIX: Final = re.compile(
    rf"(?:^|[\s\"'|>(])(?:(?P<time>{_ISO_TIME})[ ]+)?(?P<id>{_UUID.pattern}|(?<=[ ])[\w-]*[0-9-][\w-]*)[ ]+$"
    rf"|(?P<time_only>{_ISO_TIME})[ ]{{1,4}}$"
)
_NOTHING_MORE: Final = re.compile(rf"[\s|\"'`,;)\]}}\\>]*(?:$|\n|\|\||{_ISO_TIME}|[\"'|])")

_CONTEXT: Final = 300  # characters looked at on either side of an anchor


@dataclass(slots=True)
class _Place:
    """Where an anchor stands: the message, the match, what is before it on its physical line, where its body ends."""

    text: str
    anchor: re.Match[str]
    prefix: str
    joined: bool
    end: int

    @property
    def rest(self) -> str:
        """The rest of the physical line behind the anchor."""
        return self.text[self.anchor.end() : min(self.end, self.anchor.end() + _CONTEXT)].partition("\n")[0]

    @property
    def time(self) -> str | None:
        found = _TIME.findall(self.prefix)
        return found[-1] if found else None


def parse_text(text: str) -> Iterator[PlatformLine | Reject]:
    """All platform lines in one message of plain text, in the order of their anchors. Ordinary text gives nothing."""
    text = _plain(text)
    anchors = list(_ANCHOR.finditer(text))
    report: Draft | None = None  # held back until it is known whether its XRAY line follows
    done = 0
    for number, anchor in enumerate(anchors):
        end = anchors[number + 1].start() if number + 1 < len(anchors) else len(text)
        line_start = text.rfind("\n", 0, anchor.start()) + 1
        joined = done > line_start
        prefix = text[max(line_start, done, anchor.start() - _CONTEXT) : anchor.start()]
        place = _Place(text, anchor, prefix, joined, end)
        if report is not None and anchor["xray"]:
            report.xray_trace_id = _trace(place)
        else:
            found = _read(place)
            if found is None:
                continue
            if report is not None and not _swallowed(report, found, joined):
                yield seal(report)
            report = found if isinstance(found, Draft) else None
            if isinstance(found, Reject):
                yield found
        done = anchor.end()
    if report is not None:
        yield seal(report)


def _plain(text: str) -> str:
    """The message without colours, with real tabs and line breaks, ordinary spaces."""
    if "\x1b" in text or "\\" in text:
        text = _COLOUR.sub("", text)
        text = _ESCAPED.sub(lambda escape: "\t" if escape[1] == "t" else "\n", text)
    if "\r" in text:
        text = _LINE_BREAK.sub("\n", text)
    return text if text.isascii() else text.replace("\xa0", " ")


def _read(place: _Place) -> Draft | Reject | None:
    """One anchor: a line, something that only looks like one, or (None) ordinary text."""
    if _APPLICATION_LOGGER.search(place.prefix):
        return None
    if place.anchor["head"]:
        return _read_head(place)
    if place.anchor["init"]:
        return _read_init(place)
    if place.anchor["timeout"]:
        return _read_timeout(place)
    if place.anchor["said_id"]:
        return _read_said(place)
    if _in_prose(place):
        return None
    if place.anchor["xray"]:
        return Draft("XRAY", time=place.time, xray_trace_id=_trace(place))
    return Draft(place.anchor["other"], time=place.time)


def _read_head(place: _Place) -> Draft | Reject | None:
    """`REPORT RequestId: <id>` with labels, `START RequestId: <id> Version: <v>`, `END RequestId: <id>`."""
    kind, token, body = place.anchor["head"], place.anchor["head_id"], place.anchor.end()
    draft = Draft(kind, _uuid(token), place.time)
    if kind == "REPORT" and labels.starts_here(place.text, body, place.end):
        labels.read(draft, place.text, body, place.end)
        return draft
    if kind == "START" and (version := _VERSION.match(place.text, body, place.end)):
        draft.version = version[1]
        return draft
    if _in_prose(place):
        return None
    nothing_more = _NOTHING_MORE.match(place.rest) or (place.end < len(place.text) and not place.rest.strip())
    if kind == "REPORT" and labels.UNKNOWN.match(place.rest.lstrip()):
        labels.read(draft, place.text, body, place.end)
        return draft
    cut = _cut_label(place, labels.ALL if kind == "REPORT" else ("Version:",) if kind == "START" else ())
    if token and (nothing_more or cut):
        return draft
    return reject(NO_STRUCTURE, place.text[place.anchor.start() :])


def _read_init(place: _Place) -> Draft | Reject | None:
    """`INIT_START Runtime Version: ...`, `INIT_REPORT Init Duration: ... ms`, and the same for a restore."""
    kind, body = place.anchor["init"], place.anchor.end()
    draft = Draft(kind, time=place.time)
    if kind.endswith("_REPORT") and labels.starts_here(place.text, body, place.end):
        labels.read(draft, place.text, body, place.end)
        return draft
    if kind.endswith("_START") and place.rest.lstrip().startswith("Runtime Version"):
        version = _RUNTIME_VERSION.match(place.text, body, place.end)
        draft.runtime_version = version[1] if version else None
        return draft
    if _in_prose(place):
        return None
    cut = _cut_label(place, ("Runtime Version:",) if kind.endswith("_START") else labels.ALL)
    if _NOTHING_MORE.match(place.rest) or cut:
        return draft
    return reject(NO_STRUCTURE, place.text[place.anchor.start() :])


def _read_timeout(place: _Place) -> Draft | None:
    """`<time> <id> Task timed out after 3.00 seconds`, also with the id taken out; joined to START, END or REPORT."""
    before = _TIMEOUT_PREFIX.search(place.prefix)
    if before is None:
        return _timeout(place, None, None) if _goes_on(place) else None
    if _LEVEL.fullmatch(place.prefix[: before.start()].split(" ")[-1].strip() or "-"):
        return None
    return _timeout(place, _uuid(before["id"]), before["time"] or before["time_only"])


def _goes_on(place: _Place) -> bool:
    """Is there nothing but values between the anchor before this one, on the same physical line, and this one?"""
    between = place.prefix.strip()
    if not place.joined or not between:
        return place.joined
    return labels.starts_here(between, 0, len(between)) or labels.UNKNOWN.match(between) is not None


def _timeout(place: _Place, request_id: str | None, time: str | None) -> Draft:
    seconds = _SECONDS.match(place.text, place.anchor.end(), place.end)
    draft = Draft("TIMEOUT", request_id, time or place.time)
    if seconds:
        draft.timeout_s = float(seconds[1])
    else:
        draft.unread = ("Task timed out",)
    return draft


def _read_said(place: _Place) -> Draft | Reject | None:
    """`RequestId: <id> Error: ...` and `RequestId: <id> Process exited before completing request`."""
    if _in_prose(place):
        return None
    request_id = _uuid(place.anchor["said_id"])
    if place.anchor["said_timeout"]:
        return _timeout(place, request_id, place.time)
    if place.anchor["said_exit"] or place.anchor["said_gone"]:
        return Draft("RUNTIME_EXIT", request_id, place.time)
    return reject(UNKNOWN_MESSAGE, place.text[place.anchor.start() :]) if request_id else None


def _swallowed(before: Draft, found: Draft | Reject, joined: bool) -> bool:
    """`END RequestId: <not an id> Task timed out after ...`: the head states nothing, all of it is one TIMEOUT."""
    return (
        joined
        and isinstance(found, Draft)
        and found.kind == "TIMEOUT"
        and before.request_id is None
        and before.duration_ms is None
        and before.billed_ms is None
        and before.kind in ("START", "END", "REPORT")
    )


def _in_prose(place: _Place) -> bool:
    """Is the anchor part of a sentence? Decided by the words before it on its physical line."""
    tail = re.split(r"[|\"'`>]", place.prefix)[-1]
    words = tail.split()
    if not words:
        return False
    if place.joined:
        return words[-1] not in _ENDS_OF_VALUES and _PLAIN_WORD.fullmatch(words[-1]) is not None
    plain = sum(1 for word in words if _PLAIN_WORD.fullmatch(word))
    return plain > 1 or _PLAIN_WORD.fullmatch(words[-1]) is not None or any(_LEVEL.fullmatch(word) for word in words)


def _cut_label(place: _Place, expected: tuple[str, ...]) -> bool:
    """Does the message end in the middle of a label that would have made the structure?"""
    rest = place.text[place.anchor.end() : place.end]
    return place.end == len(place.text) and len(rest) < 40 and any(label.startswith(rest.strip()) for label in expected)


def _trace(place: _Place) -> str | None:
    found = _TRACE.match(place.text, place.anchor.end(), place.end)
    return found[1] if found else None


def _uuid(token: str | None) -> str | None:
    """The token if it is a whole request id; a cut or invented one identifies nothing."""
    token = (token or "").rstrip(".)]}")
    return token if _UUID.fullmatch(token) else None
