"""Log files and S3 objects: plain text, NDJSON events, CloudWatch subscription envelopes; each also as gzip.

What a file is, is seen from its beginning, not from its name.
"""

from __future__ import annotations

import gzip
import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from core.aws import storage

IN_MEMORY_BYTES = 8 << 20
_GZIP = b"\x1f\x8b"


@contextmanager
def opened(name: str) -> Iterator[IO[str]]:
    """The text of a file, of `s3://bucket/key`, or of standard input (`-`). Memory does not grow with it.

    Raises:
        OSError: the file cannot be read.
        AwsError: the object cannot be read.
        ValueError: no address of an object.
    """
    if name == "-":
        with _as_text(cast(BinaryIO, sys.stdin.buffer)) as stream:
            yield stream
    elif name.startswith("s3://"):
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spool:
            storage.copy_to_file(name, cast(BinaryIO, spool))
            spool.seek(0)
            with _as_text(cast(BinaryIO, spool)) as stream:
                yield stream
    else:
        with Path(name).open("rb") as file, _as_text(file, named_gz=name.endswith(".gz")) as stream:
            yield stream


@contextmanager
def _as_text(raw: BinaryIO, *, named_gz: bool = False) -> Iterator[IO[str]]:
    buffered = io.BufferedReader(cast(io.RawIOBase, raw))
    packed = named_gz or buffered.peek(2)[:2] == _GZIP
    binary = cast(BinaryIO, gzip.GzipFile(fileobj=buffered, mode="rb") if packed else buffered)
    text = io.TextIOWrapper(binary, encoding="utf-8", errors="replace", newline="\n")
    try:
        yield text
    finally:
        text.detach()
        if binary is not buffered:
            binary.close()
        buffered.detach()
