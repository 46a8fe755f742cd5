"""Bodies of any type, read up to a limit, unpacked up to a limit: a small request cannot grow large here."""

from __future__ import annotations

import json
import zlib
from typing import IO, Any

from rest_framework.parsers import BaseParser

from core.errors import RefusedError
from shipments.deliveries.columns import Problem
from shipments.deliveries.unpacking import Readable

MOST_PACKED = 16 * 2**20
MOST_UNPACKED = 64 * 2**20
BLOCK = 1 << 16


class BadBodyError(RefusedError):
    """The body as a whole cannot be used."""

    status = 400


class TooLargeError(BadBodyError):
    code = "too_large"
    status = 413


class RawParser(BaseParser):
    """Leaves the body to the view: it knows how much it takes."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


def bounded(stream: Readable, most: int) -> bytes:
    """Raises TooLargeError."""
    blocks: list[bytes] = []
    size = 0
    while block := stream.read(min(BLOCK, most + 1 - size)):
        blocks.append(block)
        size += len(block)
        if size > most:
            raise TooLargeError(f"The body is larger than {most / 2**20:g} MiB. Send it in parts.")
    return b"".join(blocks)


def unpacked(stream: Readable, encoding: str) -> bytes:
    """The body, also with `Content-Encoding: gzip`.

    Raises:
        BadBodyError: too large, damaged, or packed in another way.
    """
    if encoding in ("", "identity"):
        return bounded(stream, MOST_UNPACKED)
    if encoding != "gzip":
        raise BadBodyError("Only gzip is understood as Content-Encoding.", code="unknown_encoding")
    packed, unpacker = bounded(stream, MOST_PACKED), zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(packed, MOST_UNPACKED + 1)
    except zlib.error as error:
        raise BadBodyError(f"The body cannot be unpacked: {error}.", code="bad_gzip") from error
    if len(data) > MOST_UNPACKED:
        raise TooLargeError(f"The body unpacks to more than {MOST_UNPACKED >> 20} MiB. Send it in parts.")
    if not unpacker.eof:
        raise BadBodyError("The packed body breaks off.", code="bad_gzip")
    return data


def rows_of(body: bytes) -> list[Any]:
    """Rows of a JSON array or of NDJSON; a line of NDJSON that is no JSON is a `Problem` in its place.

    Raises:
        BadBodyError: not UTF-8, not JSON, or neither of the two.
    """
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise BadBodyError(f"The body is not UTF-8: {error}.", code="not_utf8") from error
    if not text.startswith("["):
        return [_line(line) for line in text.split("\n") if line.strip()]
    try:
        found: list[Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadBodyError(f"The body is not JSON: {error}.", code="not_json") from error
    return found


def _line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return Problem("", f"not JSON: {error}", "not_json")
