"""Django's file storage on S3, through the same client, time-outs and errors as everything else we ask of AWS.

Named by `settings.DOCUMENT_STORE` (`s3://bucket/prefix`). Files are written and read piece by piece: memory does not
grow with the file. There are no public addresses; files leave through views that ask for permission.
"""

from __future__ import annotations

import mimetypes
import tempfile
from typing import IO, Any, BinaryIO, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.storage import Storage
from django.core.files.utils import validate_file_name

from core.aws import storage
from core.aws.errors import AwsNotFound, AwsRejected

IN_MEMORY_BYTES = 1 << 20


class DocumentStorage(Storage):
    """Files as objects below `place`. A name is written once or again with the same meaning: the last writer wins."""

    def __init__(self, place: str) -> None:
        """Raises ImproperlyConfigured when `place` is not of the form `s3://bucket` or `s3://bucket/prefix`."""
        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        if not place.startswith("s3://") or not bucket:
            raise ImproperlyConfigured(f"DOCUMENT_STORE must look like s3://bucket/prefix, not {place!r}.")
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def uri(self, name: str) -> str:
        """Where a file lies; raises SuspiciousFileOperation for a name that could leave the prefix."""
        return f"s3://{self.bucket}/{self.prefix}{validate_file_name(name, allow_relative_path=True)}"

    def adopt(self, uri: str, name: str, *, sha256: str) -> bool:
        """Take over an object that lies in S3 already, without its bytes passing here.

        False when it is gone, or S3 does not confirm the digest: the caller then saves its own copy.
        """
        try:
            return storage.copy_object(uri, self.uri(name), sha256=sha256)
        except AwsRejected:  # expired, or no permission for a direct copy
            return False

    def download_url(self, name: str, *, filename: str, seconds: int) -> str:
        """An address from which this one file can be downloaded for so long, by whoever has it. Ask for permission first."""
        return storage.signed_url(self.uri(name), filename=filename, seconds=seconds)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def exists(self, name: str) -> bool:
        try:
            storage.size_of(self.uri(name))
        except AwsNotFound:
            return False
        return True

    def size(self, name: str) -> int:
        try:
            return storage.size_of(self.uri(name))
        except AwsNotFound as error:
            raise FileNotFoundError(name) from error

    def delete(self, name: str) -> None:
        storage.delete_object(self.uri(name))

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        if mode != "rb":
            raise ValueError("files in S3 are opened for reading only")
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed with the returned file
        try:
            storage.copy_to_file(self.uri(name), cast(BinaryIO, spool))
        except AwsNotFound as error:
            spool.close()
            raise FileNotFoundError(name) from error
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return File(cast(IO[bytes], spool), name)

    def _save(self, name: str, content: File[Any]) -> str:
        bucket, key = storage.split_uri(self.uri(name))
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        # The file inside: Django's wrapper counts as false without a name, which boto3 would take for "no body".
        storage.put_stream(key, cast(BinaryIO, content.file), bucket=bucket, content_type=kind)
        return name
