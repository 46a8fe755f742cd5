"""How large a deployment package is unpacked: read from the table of contents at the end of its zip. The code is not fetched."""

from __future__ import annotations

import io
import re
import zipfile

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from core.aws.errors import AwsRejected, AwsUnreachable, translated

TIMEOUT_S = 5  # to connect, and again to read
FIRST_READ = 131_072
"""Bytes from the end: enough for about a thousand files."""
MOST_READ = 32 * 1024 * 1024
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def unpacked_bytes(location: str, *, zipped_bytes: int) -> int:
    """The sum of the sizes of all files in a package.

    Args:
        location: the signed address that GetFunction or GetLayerVersion gives, good for ten minutes.
        zipped_bytes: what AWS states; a package of another size is not the one that is meant.

    Raises:
        AwsUnreachable: no answer.
        AwsRejected: refused, no zip, or another package (code `AnotherPackage`).
    """
    try:
        with translated("the package of a function"), zipfile.ZipFile(_End(location, zipped_bytes)) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError) as error:
        raise AwsRejected(
            f"the package of a function: its table of contents cannot be read ({error})", code="BadZip"
        ) from error


class _End(io.RawIOBase):
    """A file of which only the end has been fetched; reading before it fetches more."""

    def __init__(self, location: str, size: int) -> None:
        self._location, self._size, self._place = location, size, 0
        self._session = URLLib3Session(timeout=TIMEOUT_S, proxies=get_environ_proxies(location))
        self._begin, self._held = size, b""
        self._fetch_from(max(0, size - FIRST_READ))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence])
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._size, self._place + size)
        if self._place < self._begin:
            self._fetch_from(self._place)
        found = self._held[self._place - self._begin : end - self._begin]
        self._place += len(found)
        return found

    def _fetch_from(self, begin: int) -> None:
        """Have everything from there to the end."""
        if self._size - begin > MOST_READ:
            raise zipfile.BadZipFile(f"over {MOST_READ} bytes")
        if begin >= self._begin:
            return
        asked = AWSRequest(
            "GET", self._location, headers={"Range": f"bytes={begin}-{self._begin - 1}"}, stream_output=True
        )
        answer = self._session.send(asked.prepare())
        try:
            said = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if answer.status_code >= 500:
                raise AwsUnreachable(f"the package of a function: answered {answer.status_code}")
            if answer.status_code != 206 or said is None:
                code = "AnotherPackage" if answer.status_code == 416 else str(answer.status_code)
                raise AwsRejected(f"the package of a function: answered {answer.status_code}", code=code)
            if int(said[3]) != self._size:
                raise AwsRejected("the package of a function: is another one than AWS states", code="AnotherPackage")
            body = answer.raw.read(self._begin - begin)
        finally:
            answer.raw.close()
        if len(body) != self._begin - begin:
            raise AwsUnreachable("the package of a function: the connection broke")
        self._begin, self._held = begin, body + self._held
