"""`Label: value unit` in REPORT, INIT_REPORT and RESTORE_REPORT lines, read from left to right.

A value counts only with its unit (`12 ms`, `128 MB`); one that is cut off, has a decimal comma or a strange form is
left out and its label is noted in `unread`. A label inside a longer, unknown label (`Runtime Duration:`) is not ours.
"""

from __future__ import annotations

import math
import re
from typing import Final

from services_registry.telemetry.parser.lines import Draft
from services_registry.telemetry.parser.words import NUMBER_LABELS, WORD_LABELS, whole_word

_NAMES: Final = sorted([*NUMBER_LABELS, *WORD_LABELS], key=len, reverse=True)
ALL: Final = tuple(f"{name}:" for name in _NAMES)
_KNOWN: Final = f"(?:{'|'.join(_NAMES)}):"
_LABEL: Final = re.compile(f"({'|'.join(_NAMES)}):")
UNKNOWN: Final = re.compile(r"[A-Z]\w{0,30}(?: [A-Z]\w{0,30}){0,4}:(?=\s)")

# Between two values: blanks, bars, dashes and commas of whoever pasted the line, or a wrapped line that goes on.
_GAP: Final = re.compile(rf"(?:[ \t|,;\u00b7\u2013\u2014-]|\n+[ \t]+(?={_KNOWN}))*")
# A label further on is trusted only behind a tab, two blanks or a unit: `Foo Duration:` is another label.
_NEXT: Final = re.compile(rf"(?:(?<=\t)|(?<=[ ]{{2}})|(?<=ms )|(?<=MB )){_KNOWN}")

_NUMBER: Final = r"[ \t]*([0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,3})?)[ \t]*"
_MILLISECONDS: Final = re.compile(_NUMBER + r"ms(?![A-Za-z0-9])")
_MEGABYTES: Final = re.compile(_NUMBER + r"MB(?![A-Za-z0-9])")
_WORD: Final = re.compile(r"[ \t]*([A-Za-z]\w{0,60}(?:\.[A-Za-z]\w{0,60}){0,4})(?![\w.])")

_WHOLE_NUMBERS: Final = frozenset({"billed_ms", "memory_mb", "max_memory_mb", "billed_restore_ms"})


def starts_here(text: str, start: int, end: int) -> bool:
    """Does a known label follow at `start`, with nothing but blanks and the like before it?"""
    return _LABEL.match(text, _skip(text, start, end), end) is not None


def read(draft: Draft, text: str, start: int, end: int) -> None:
    """Fill `draft` with the values found in `text[start:end]`; stop at the first thing that is not a label."""
    seen: set[str] = set()
    position = _skip(text, start, end)
    while True:
        label = _LABEL.match(text, position, end)
        if label is not None:
            if label[1] in seen:
                return
            seen.add(label[1])
            after = _value(draft, label[1], text, label.end(), end)
        else:
            unknown = UNKNOWN.match(text, position, end)
            if unknown is None:
                return
            after = None
            position = unknown.end()
        if after is None:
            following = _following(text, label.end() if label else position, end)
            if following is None:
                return
            position = following
        else:
            position = _skip(text, after, end)


def _skip(text: str, start: int, end: int) -> int:
    gap = _GAP.match(text, start, end)
    return gap.end() if gap else start


def _following(text: str, start: int, end: int) -> int | None:
    """Where the next known label on this physical line begins."""
    line_end = text.find("\n", start, end)
    found = _NEXT.search(text, start, end if line_end == -1 else line_end)
    return found.start() if found else None


def _value(draft: Draft, label: str, text: str, start: int, end: int) -> int | None:
    """Read one value into the draft; where it ends, or None when it is not a value."""
    field = WORD_LABELS.get(label)
    if field is not None:
        word = _WORD.match(text, start, end)
        if word is not None and whole_word(field, word[1]):
            setattr(draft, field, word[1])
            return word.end()
    else:
        field = NUMBER_LABELS[label]
        number = (_MEGABYTES if field.endswith("_mb") else _MILLISECONDS).match(text, start, end)
        if number is not None and (value := _to_number(number[1], field)) is not None:
            setattr(draft, field, value)
            return number.end()
    draft.unread += (label,)
    return None


def _to_number(digits: str, field: str) -> float | None:
    """The number as stated; None when it is beyond all floats. Whole milliseconds and megabytes stay whole."""
    if field in _WHOLE_NUMBERS and digits.isdigit():
        return int(digits)
    value = float(digits)
    return value if math.isfinite(value) else None
