"""Which files belong to a shipment: glob-like patterns with the tracking number in them.

`*` is any run of characters, `?` exactly one, everything else is itself; upper and lower case are the same.
`{tracking_number}` and `{document_type}` are replaced by the item's values, taken literally. Where `*` touches the
tracking number, a digit must not be followed (or preceded) by another digit nor a letter by another letter: "123*"
finds "123_pod.pdf", not the file of shipment "1234". Only listed names are matched; no path is ever built from an item.
"""

import re
from functools import lru_cache

from shipments.functions.runtime.errors import ItemError

_TOKEN = re.compile(r"\{tracking_number\}|\{document_type\}|\*+|\?|[^*?{]+|\{")


def compile_pattern(pattern: str, tracking_number: str, document_type: str = "") -> re.Pattern[str]:
    """The pattern for one shipment, to be used with `match`.

    Raises ItemError("BadPattern") for one without {tracking_number} or with a slash, ItemError("BadData") for a number
    that cannot be part of a file name.
    """
    _check_pattern(pattern)
    if not tracking_number.strip() or "/" in tracking_number or "\\" in tracking_number:
        raise ItemError(
            "BadData", f"{tracking_number[:60]!r} cannot be part of a file name: correct the tracking number"
        )
    segments, current, after_star = [], "", False
    parts = _TOKEN.findall(pattern)
    for at, part in enumerate(parts):
        if part[0] == "*":
            segments.append(current)
            current, after_star = "", True
            continue
        if part == "{tracking_number}":
            before_star = at + 1 < len(parts) and parts[at + 1][0] == "*"
            current += _bounded(tracking_number, left=after_star, right=before_star)
        elif part == "{document_type}":
            current += re.escape(document_type)
        else:
            current += "." if part == "?" else re.escape(part)
        after_star = False
    segments.append(current)
    return re.compile(_assemble(segments), re.IGNORECASE | re.DOTALL)


def _assemble(segments: list[str]) -> str:
    """First and last segment are anchored; those between are found at their first place, which is always enough.

    The atomic groups make matching linear: no pattern can backtrack for ever.
    """
    if len(segments) == 1:
        return segments[0] + r"\Z"
    between = "".join(f"(?>.*?{segment})" for segment in segments[1:-1] if segment)
    return f"{segments[0]}{between}.*{segments[-1]}\\Z"


def _bounded(number: str, *, left: bool, right: bool) -> str:
    before = f"(?<!{_same_kind(number[0])})" if left and number[0].isalnum() else ""
    after = f"(?!{_same_kind(number[-1])})" if right and number[-1].isalnum() else ""
    return before + re.escape(number) + after


def _same_kind(char: str) -> str:
    return r"\d" if char.isdigit() else r"[^\W\d_]"


@lru_cache(maxsize=64)
def _check_pattern(pattern: str) -> None:
    if "{tracking_number}" not in pattern:
        raise ItemError(
            "BadPattern", f"the file pattern {pattern!r} has no {{tracking_number}}: it would match every file"
        )
    if "/" in pattern or "\\" in pattern:
        raise ItemError(
            "BadPattern", f"the file pattern {pattern!r} must name a file, not a path: use the directory field"
        )
