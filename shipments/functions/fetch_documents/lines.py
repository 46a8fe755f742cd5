"""What the lines of a directory listing mean, in the dialects that carriers' servers speak. Pure: no network here.

Lines come in the latin-1 disguise of the wire, in which every byte is one character; names are handed on like that.
`modified` is ISO 8601: in UTC where the server says so (MLSD), without an offset where it shows its own clock (LIST).
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FILE, FOLDER, OTHER = "file", "folder", "other"


@dataclass(frozen=True)
class Entry:
    """One line: a file, a folder, or something else (a link, a device)."""

    name: str
    kind: str
    size: int | None = None
    modified: str | None = None


_MODE = re.compile(r"(?P<kind>[-dlbcpsDC])[-rwxsStTlL]{9}[.+@]?\s")
_TIME = r"(?P<time>\d{1,2}:\d\d|\d{4})"
_UNIX = [
    re.compile(rf".*?(?<!\S)(?P<size>\d{{1,18}})\s+{date}\s(?P<name>.+)")
    for date in (
        r"(?P<iso>\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?(?:\s(?P<offset>[+-]\d{4}))?",
        rf"(?P<month>[^\s\d]{{3,7}})\s+(?P<day>\d{{1,2}}),?\s+{_TIME}",
        rf"(?P<day>\d{{1,2}})\.?\s+(?P<month>[^\s\d]{{3,7}})\s+{_TIME}",
    )
]
"""The columns right of the rights, by the form of the date: some servers leave out links or group, or put blanks in."""
_WINDOWS = re.compile(
    r"(?:(?P<month>\d\d)[-/](?P<day>\d\d)[-/](?P<year>\d{4}|\d\d)|(?P<y4>\d{4})[-/](?P<m4>\d\d)[-/](?P<d4>\d\d))\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)\s?(?P<half>[AaPp][Mm])?\s+(?:<(?P<special>[A-Z]+)>\s*|(?P<size>[\d.,]+)\s)"
    r"(?P<name>.+)"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janv ene gen", "feb fev fevr", "mar mars marz mrz mae maer", "apr avr abr", "may mai mag", "jun juin giu juni",
            "jul juil lug juli", "aug aou aout ago", "sep sept set", "oct okt ott out", "nov", "dec dez dic",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
"""Short names in English, German, French, Spanish, Italian and Portuguese, without accents."""


def from_facts(line: str) -> Entry | None:
    """One MLSD line (RFC 3659): "type=file;size=12;modify=20261123101500; name"; None for one that is none."""
    facts_text, space, name = line.partition(" ")
    if not space or not name or "=" not in facts_text:
        return None
    facts = dict(fact.lower().partition("=")[::2] for fact in facts_text.split(";") if fact)
    kind = {"file": FILE, "dir": FOLDER}.get(facts.get("type", "file"), OTHER)
    return Entry(name, kind, _whole(facts.get("size", "")), utc_stamp(facts.get("modify", "")))


def from_list(line: str, now: datetime) -> Entry | None:
    """One LIST line of a Unix or Windows (IIS) server; None for headings and what nobody understands.

    `now` decides the year of dates that have none: the latest that is not in the future.
    """
    line = line.rstrip("\r\n")
    if mode := _MODE.match(line):
        return _unix(line[mode.end() :], mode["kind"], now)
    if found := _WINDOWS.fullmatch(line):
        return _windows(found)
    return None


def _unix(columns: str, kind: str, now: datetime) -> Entry | None:
    what = FILE if kind == "-" else FOLDER if kind in "dD" else OTHER
    for form in _UNIX:
        found = form.fullmatch(columns)
        moment = _moment(found, now) if found else None
        if found and moment:
            return Entry(found["name"], what, int(found["size"]) if what == FILE else None, moment)
    return None


def _moment(found: re.Match[str], now: datetime) -> str | None:
    parts = found.groupdict()
    try:
        if iso := parts.get("iso"):
            moment = datetime.fromisoformat(f"{iso}{parts['offset'] or ''}")
            return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
        month = _MONTHS.get(_folded(parts["month"]))
        if month is None:
            return None
        if ":" not in parts["time"]:
            return datetime(int(parts["time"]), month, int(parts["day"])).isoformat()  # noqa: DTZ001  # the server's clock
        return _latest(month, int(parts["day"]), parts["time"], now)
    except ValueError:
        return None


def _latest(month: int, day: int, time: str, now: datetime) -> str | None:
    """The latest such day that is not in the future; a day of grace for clocks of other zones."""
    hour, minute = (int(part) for part in time.split(":"))
    limit = now.replace(tzinfo=None) + timedelta(days=1)
    for year in range(limit.year, limit.year - 5, -1):
        try:
            moment = datetime(year, month, day, hour, minute)  # noqa: DTZ001  # the server's clock
        except ValueError:
            continue  # the 29th of February
        if moment <= limit:
            return moment.isoformat()
    return None


def _windows(found: re.Match[str]) -> Entry | None:
    parts = found.groupdict()
    year = int(parts["y4"] or parts["year"])
    year += 0 if year > 99 else 2000 if year < 70 else 1900
    hour = int(parts["hour"])
    if half := parts["half"]:
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    try:
        day = datetime(year, int(parts["m4"] or parts["month"]), int(parts["d4"] or parts["day"]))  # noqa: DTZ001  # the server's clock
        moment = day.replace(hour=hour, minute=int(parts["minute"]))
    except ValueError:
        return None
    kind = FILE if parts["size"] else FOLDER if parts["special"] == "DIR" else OTHER
    size = _whole(re.sub(r"[.,]", "", parts["size"])) if parts["size"] else None
    return Entry(parts["name"], kind, size, moment.isoformat())


def utc_stamp(text: str) -> str | None:
    """ "20261123101500" or "20261123101500.123" as "2026-11-23T10:15:00+00:00"."""
    if not re.fullmatch(r"\d{14}(?:\.\d*)?", text):
        return None
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    """Digits that can be a size; a server may write anything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _folded(month: str) -> str:
    """ "Mär.", in UTF-8 or latin-1, as "mar"."""
    raw = month.encode("latin-1", "replace")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.lower().rstrip(".")
