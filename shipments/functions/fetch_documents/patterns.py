"""Which files belong to a shipment: glob-like patterns with the tracking number in them.

`*` is any run of characters, `?` exactly one, everything else is itself; upper and lower case are the same.
`{tracking_number}` and `{document_type}` are replaced by the item's values, taken literally. Where `*` touches the
tracking number, a digit must not be followed (or preceded) by another digit nor a letter by another letter: "123*"
finds "123_pod.pdf", not the file of shipment "1234". Only listed names are matched; no path is ever built from an item.

`PathPattern` is the same for a whole path: the directories may have wildcards and the number, too. `candidates` goes the
other way, from a name to the numbers it may be of; which one is real, only who knows the deliveries can tell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from shipments.functions.runtime.errors import ItemError

NUMBER = "{tracking_number}"
LONGEST_NUMBER, MOST_CANDIDATES = 40, 200

_TOKEN = re.compile(r"\{tracking_number\}|\{document_type\}|\*+|\?|[^*?{]+|\{")


def compile_pattern(pattern: str, tracking_number: str, document_type: str = "") -> re.Pattern[str]:
    """The pattern for one shipment, to be used with `match`.

    Raises ItemError("BadPattern") for one without {tracking_number} or with a slash, ItemError("BadData") for a number
    that cannot be part of a file name.
    """
    _check_pattern(pattern)
    return _compiled(pattern, tracking_number, document_type)


@lru_cache(maxsize=512)
def _compiled(pattern: str, tracking_number: str, document_type: str) -> re.Pattern[str]:
    if not is_usable(tracking_number):
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


def candidates(pattern: str, name: str, document_type: str = "") -> list[str]:
    """Every number for which `pattern` takes `name`, the longest first: at most 200, of at most 40 characters."""
    before, after = pattern.split(NUMBER, 1)
    if after.count(NUMBER):
        after, rest = after.split(NUMBER, 1)[0] + "*", pattern
    else:
        rest = ""
    left, right = _part(before, document_type), _part(after, document_type)
    starts = [at for at in range(len(name)) if left.match(name[:at])]
    ends = [at for at in range(1, len(name) + 1) if right.match(name[at:])]
    found = {
        name[start:end]
        for start in starts
        for end in ends
        if 0 < end - start <= LONGEST_NUMBER
        and _stands_alone(name, start, end, left=before.endswith("*"), right=after.startswith("*"))
    }
    usable = [number for number in found if is_usable(number)]
    if rest:
        usable = [number for number in usable if _compiled(rest, number, document_type).match(name)]
    return sorted(usable, key=lambda number: (-len(number), number))[:MOST_CANDIDATES]


def takes(pattern: str, number: str, name: str, document_type: str = "") -> bool:
    """The same as `compile_pattern(...).match(name)` for ASCII and one {tracking_number}: nothing is made for the number.

    A thousand shipments would otherwise cost a thousand compiled patterns.
    """
    before, after = pattern.split(NUMBER)
    left, right = _part(before, document_type), _part(after, document_type)
    lowered, wanted = name.lower(), number.lower()
    start = lowered.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        alone = _stands_alone(name, start, end, left=before.endswith("*"), right=after.startswith("*"))
        if alone and left.match(name[:start]) and right.match(name[end:]):
            return True
        start = lowered.find(wanted, start + 1)
    return False


def is_usable(number: str) -> bool:
    """Whether a tracking number can be part of a file name."""
    return bool(number.strip()) and "/" not in number and "\\" not in number


@lru_cache(maxsize=64)
def _part(pattern: str, document_type: str) -> re.Pattern[str]:
    """The part of a pattern on one side of the number."""
    segments, current = [], ""
    for part in _TOKEN.findall(pattern):
        if part[0] == "*":
            segments.append(current)
            current = ""
        else:
            current += (
                re.escape(document_type) if part == "{document_type}" else "." if part == "?" else re.escape(part)
            )
    return re.compile(_assemble([*segments, current]), re.IGNORECASE | re.DOTALL)


def _stands_alone(name: str, start: int, end: int, *, left: bool, right: bool) -> bool:
    """Whether nothing of the number's own kind touches it where the pattern has a `*`."""
    number = name[start:end]
    if left and start and number[0].isalnum() and re.match(_same_kind(number[0]), name[start - 1]):
        return False
    return not (right and end < len(name) and number[-1].isalnum() and re.match(_same_kind(number[-1]), name[end]))


@dataclass(frozen=True)
class PathPattern:
    """A directory and a file name together, part by part. `base` is the directory above the first wildcard.

    Raises ItemError("BadPattern") when no part has {tracking_number}.
    """

    directory: str
    pattern: str
    document_type: str = ""

    def __post_init__(self) -> None:
        if not any(NUMBER in part for part in self.directory.split("/")):
            _check_pattern(self.pattern)
        elif "/" in self.pattern or "\\" in self.pattern:
            _check_pattern(NUMBER + self.pattern)

    @property
    def base(self) -> str:
        """As it is given where there are no wildcards."""
        wild = self.wild
        return self.directory if not wild else "/".join(self.directory.rstrip("/").split("/")[: -len(wild)]) or "/"

    @property
    def wild(self) -> list[str]:
        """The parts of the directory from the first wildcard on."""
        parts = self.directory.rstrip("/").split("/")
        first = next((at for at, part in enumerate(parts) if is_wild(part)), len(parts))
        return parts[first:]

    @property
    def number_in_name(self) -> bool:
        """Whether the file name tells the number, not only a directory above it."""
        return NUMBER in self.pattern

    def takes_folder(self, part: str, name: str, number: str | None) -> bool:
        """Whether the folder `name` is one that `part` of the directory means."""
        if NUMBER in part and number is None:
            return bool(candidates(part, name, self.document_type))
        if number and part.count(NUMBER) == 1 and number.isascii() and name.isascii() and is_usable(number):
            return takes(part, number, name, self.document_type)
        return bool(_compiled(part, "-" if number is None else number, self.document_type).match(name))

    def takes_file(self, name: str, number: str | None) -> bool:
        """Whether `name` is a file name of this pattern: of one number, or of any."""
        return self.takes_folder(self.pattern, name, number)

    def candidates(self, folder: str, name: str) -> list[str]:
        """The numbers that the file `name` in `folder` may be of; none when the pattern does not take it."""
        parts = [*self.wild, self.pattern]
        names = [*(folder.rstrip("/").split("/")[-len(self.wild) :] if self.wild else []), name]
        if len(parts) != len(names) or not all(
            self.takes_folder(part, text, None) for part, text in zip(parts, names, strict=True)
        ):
            return []
        each = [candidates(p, t, self.document_type) for p, t in zip(parts, names, strict=True) if NUMBER in p]
        return _in_all(each)


def _in_all(lists: Sequence[list[str]]) -> list[str]:
    """What stands in every list, in the order of the first; upper and lower case are the same."""
    others = [{number.lower() for number in numbers} for numbers in lists[1:]]
    return [number for number in lists[0] if all(number.lower() in numbers for numbers in others)]


def is_wild(part: str) -> bool:
    """Whether a part of a directory stands for several."""
    return "*" in part or "?" in part or NUMBER in part or "{document_type}" in part


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
