"""The bytes of a file on their way in: unpacked when they are gzip, counted, and never without an end."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any, Protocol

from django.utils.translation import gettext as _

MOST_UNPACKED = 16 * 2**30
"""Bytes; some 60 million rows."""
MOST_TIMES = 300
FREE_BYTES = 64 * 2**20
"""So much may come of however few packed bytes; beyond it, a file that grows `MOST_TIMES` was made to do harm."""


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class UnreadableFileError(Exception):
    """The file as a whole cannot be used; the message says why and what to do."""


class Counted(io.RawIOBase):
    """The bytes of a stream, and how many were read."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self.done += len(data)
        return len(data)


class Unpacked(io.BufferedReader):
    """Text bytes of a file that may be gzip. `done` counts the bytes as they came, packed.

    Reading raises UnreadableFileError when the file is damaged, or unpacks to more than a file has use for.
    """

    def __init__(self, stream: Readable) -> None:
        self._counted = Counted(stream)
        plain = io.BufferedReader(self._counted, 1 << 16)
        self.packed = plain.peek(2)[:2] == b"\x1f\x8b"
        super().__init__(_Bounded(plain, self._counted) if self.packed else plain, 1 << 16)  # type: ignore[arg-type]  # read like a raw stream

    @property
    def done(self) -> int:
        return self._counted.done

    def head(self) -> bytes:
        """The first bytes, which stay to be read."""
        return self.peek(4096)


class _Bounded(io.RawIOBase):
    def __init__(self, packed: io.BufferedReader, counted: Counted) -> None:
        self._unpacker = gzip.GzipFile(fileobj=packed)
        self._counted = counted
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._unpacker.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            before = _("Everything before was taken; send the whole file again.") if self._given else ""
            raise UnreadableFileError(
                _("The file cannot be unpacked, it breaks off: %(error)s. %(before)s")
                % {"error": error, "before": before}
            ) from error
        self._given += len(data)
        if self._given > MOST_UNPACKED or self._given > FREE_BYTES + MOST_TIMES * self._counted.done:
            raise UnreadableFileError(_("The file unpacks to far more than deliveries take. Send it as plain text."))
        buffer[: len(data)] = data
        return len(data)
