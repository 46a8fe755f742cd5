"""ZIP downloads of any size: one file is open at a time, its bytes leave as they are read.

The archive is written onto something that cannot seek, so sizes follow the data (data descriptors) and ZIP64 is used
where needed. What stays in memory is the directory at the end of the archive: about 1 kB for each file.
"""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

READ_BYTES = 256 * 1024
LONGEST_NAME = 120
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # what the format can say
_LARGE = 2**31 - 2**20
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One file. `open` is called when its turn comes; `size` in bytes decides whether it needs ZIP64."""

    name: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    size: int = 0
    modified: datetime | None = None
    compress: bool = False


class _Outlet(io.RawIOBase):
    """What the archive writes to: keeps what was not sent yet, and cannot seek."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        sent = b"".join(self._waiting)
        self._waiting.clear()
        return sent


def zip_blocks(entries: Iterable[ZipEntry]) -> Iterator[bytes]:
    """The archive, block by block. `entries` may be a generator that decides the next one after the last was written.

    An error while an entry is read ends the stream: the archive is then visibly broken, not silently short.
    """
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", allowZip64=True) as archive:
        for entry in entries:
            yield from _written(archive, outlet, entry)
    yield outlet.take()


def _written(archive: zipfile.ZipFile, outlet: _Outlet, entry: ZipEntry) -> Iterator[bytes]:
    about = zipfile.ZipInfo(entry.name, _stamp(entry.modified))
    about.compress_type = zipfile.ZIP_DEFLATED if entry.compress else zipfile.ZIP_STORED
    about.external_attr = 0o644 << 16
    with entry.open() as source, archive.open(about, "w", force_zip64=entry.size >= _LARGE) as target:
        while block := source.read(READ_BYTES):
            target.write(block)
            yield outlet.take()
    if waiting := outlet.take():
        yield waiting


def _stamp(moment: datetime | None) -> tuple[int, int, int, int, int, int]:
    parts = moment.astimezone(UTC).timetuple() if moment else time.gmtime()
    return max(_EARLIEST, (parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]))


class Names:
    """File names for one archive: safe on every system, and never the same twice whatever the case of letters."""

    def __init__(self, *taken: str) -> None:
        self._last: dict[str, int] = {name.casefold(): 1 for name in taken}

    def give(self, wanted: str) -> str:
        """`wanted` without folders and unusable characters; `-2`, `-3` … before its ending when it is taken."""
        name = safe_name(wanted)
        path = PurePosixPath(name)
        number = self._last.get(name.casefold(), 0) + 1
        given = name
        while number > 1 and (given := f"{path.stem}-{number}{path.suffix}").casefold() in self._last:
            number += 1
        self._last[name.casefold()] = number
        self._last.setdefault(given.casefold(), 1)
        return given


def safe_name(wanted: str) -> str:
    """One path component that Windows, macOS and Linux all take; its ending is kept when it is cut."""
    name = _UNSAFE.sub("_", wanted).strip(" .") or "file"
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    suffix = PurePosixPath(name).suffix[:12]
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - len(suffix)].rstrip(" .") + suffix


def zip_response(filename: str, entries: Iterable[ZipEntry]) -> StreamingHttpResponse:
    """A download that starts with the first file."""
    response = StreamingHttpResponse(zip_blocks(entries), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, filename)
    # The middleware would spend a processor on packing what is packed; a stated encoding keeps it away.
    response["Content-Encoding"] = "identity"
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"
    return response
