"""Where a bill lies: a file, or an object in S3; plain, packed with gzip, or one file in a zip. Seen from its beginning.

What Polars reads must lie on disk, so that memory does not grow with it: packed files are unpacked into a temporary one.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from django.utils.translation import gettext as _

from core.aws import storage
from costs.imports.shapes import UnreadableBillError

MOST_UNPACKED = 20 * 2**30
"""Bytes that a packed file may grow to; more is not a bill but a mistake, and would fill the disk."""
_BLOCK = 1 << 20
_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"


@dataclass(frozen=True, slots=True)
class Opened:
    """A bill on disk. `path` is unpacked; `size` and `sha256` are of what came."""

    path: Path
    name: str
    kind: str  # csv, parquet or json; "folder" when it came in parts
    size: int
    sha256: str
    parts: tuple[Opened, ...] = ()


@contextmanager
def opened(name: str) -> Iterator[Opened]:
    """A file, a folder of a bill's parts, or the same in S3 (`s3://bucket/key`, `s3://bucket/folder/`); unpacked, and gone
    from the temporary folder afterwards.

    Raises:
        OSError: the file cannot be read.
        AwsError: the object cannot be read.
        UnreadableBillError: it is packed and damaged, empty, or too large, or the folder holds no bill.
    """
    with ExitStack() as stack:
        if name.startswith("s3://"):
            if name.endswith("/"):
                uris = [listed.uri for listed in storage.list_objects(name) if is_part(listed.uri)]
                yield together(name, [stack.enter_context(_fetched(uri)) for uri in uris])
            else:
                yield stack.enter_context(_fetched(name))
        elif Path(name).is_dir():
            paths = sorted(path for path in Path(name).iterdir() if path.is_file() and is_part(path.name))
            yield together(name, [stack.enter_context(on_disk(path, path.name)) for path in paths])
        else:
            yield stack.enter_context(on_disk(Path(name), PurePosixPath(name).name))


def is_part(name: str) -> bool:
    """Tables, packed or not. Manifests and other company in the folders of reports are left alone."""
    return name.lower().endswith((".csv", ".csv.gz", ".csv.zip", ".zip", ".parquet"))


def together(name: str, parts: list[Opened]) -> Opened:
    """Parts of one bill as one file: large reports are delivered in several."""
    if not parts:
        raise UnreadableBillError(_("There is no table of a bill in %s.") % name)
    if len(parts) == 1:
        return parts[0]
    digest = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    return Opened(Path(), name, "folder", sum(part.size for part in parts), digest, tuple(parts))


@contextmanager
def _fetched(uri: str) -> Iterator[Opened]:
    with tempfile.NamedTemporaryFile(suffix=".bill") as spool:
        storage.copy_to_file(uri, cast(BinaryIO, spool))
        spool.flush()
        with on_disk(Path(spool.name), PurePosixPath(uri).name) as file:
            yield file


@contextmanager
def on_disk(path: Path, name: str) -> Iterator[Opened]:
    """A file that lies on disk already, unpacked, under the name it came with."""
    packed = as_it_came(path, name)
    with ExitStack() as stack:
        if packed.kind:
            path = stack.enter_context(_unpacked(path, zipped=packed.kind == "zip"))
        yield Opened(path, name, _kind(path), packed.size, packed.sha256)


def as_it_came(path: Path, name: str) -> Opened:
    """A file without unpacking it: its kind is gzip, zip or empty (not packed).

    Raises:
        UnreadableBillError: it is empty.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(0)
        head = file.read(4)
    if not size:
        raise UnreadableBillError(_("The file is empty."))
    kind = "gzip" if head[:2] == _GZIP else "zip" if head == _ZIP else ""
    return Opened(path, name, kind, size, digest)


@contextmanager
def _unpacked(path: Path, *, zipped: bool) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(suffix=".bill") as target, ExitStack() as stack:
        try:
            packed = stack.enter_context(_from_zip(path) if zipped else gzip.GzipFile(path))
            _copy(cast(IO[bytes], packed), target)
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise UnreadableBillError(_("The packed file is damaged or cut off: %s") % error) from error
        target.flush()
        yield Path(target.name)


@contextmanager
def _from_zip(path: Path) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        if len(names) != 1:
            raise UnreadableBillError(_("A zip with one bill in it is expected; this one holds %s files.") % len(names))
        with archive.open(names[0]) as member:
            yield member


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    left = MOST_UNPACKED
    while piece := source.read(_BLOCK):
        left -= len(piece)
        if left < 0:
            raise UnreadableBillError(_("Unpacked, the file is larger than %s GiB.") % (MOST_UNPACKED >> 30))
        target.write(piece)


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_PARQUET):
        return "parquet"
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else "csv"


def copy_into(source: IO[bytes], target: IO[bytes]) -> None:
    """An open stream into an open file, a megabyte at a time."""
    shutil.copyfileobj(source, target, _BLOCK)
    target.flush()
