"""Deployment packages on disk: kept by their SHA-256, unpacked when a function first runs."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import threading
import uuid
import zipfile
from pathlib import Path

from embedded.aws.errors import invalid

_ZIP_NAME = re.compile(r"[0-9a-f]{64}\.zip")
UNZIPPED_LIMIT = 262_144_000
"""Bytes of code and layers unpacked (AWS Lambda quotas, 2026-11-23)."""


class CodeStore:
    """Zips under ``zips/`` and their unpacked trees under ``code/``, both named by digest: equal code exists once."""

    def __init__(self, folder: Path) -> None:
        self._zips = folder / "zips"
        self._trees = folder / "code"
        self._lock = threading.Lock()
        for path in (self._zips, self._trees):
            path.mkdir(parents=True, exist_ok=True)

    def keep(self, content: bytes) -> str:
        """Store a zip; answers its SHA-256 in base64, as Lambda writes it. 400 for no zip or one too big unpacked."""
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                size = sum(member.file_size for member in archive.infolist())
        except zipfile.BadZipFile:
            raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
        if size > UNZIPPED_LIMIT:
            raise invalid(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")
        digest = hashlib.sha256(content).digest()
        target = self._zips / f"{digest.hex()}.zip"
        if not target.exists():
            partial = target.with_suffix(f".{uuid.uuid4().hex}")
            partial.write_bytes(content)
            partial.replace(target)
        return base64.b64encode(digest).decode()

    def name_of(self, sha256: str) -> str:
        """Under which name a stored zip is; empty when it is not stored."""
        try:
            name = f"{base64.b64decode(sha256, validate=True).hex()}.zip"
        except ValueError:
            return ""
        return name if (self._zips / name).is_file() else ""

    def zip(self, name: str) -> Path | None:
        """The stored zip of that name, as `name_of` gives it."""
        return self._zips / name if _ZIP_NAME.fullmatch(name) and (self._zips / name).is_file() else None

    def tree(self, sha256: str, *, folder: str = "") -> Path | None:
        """The unpacked tree of a stored zip (or a folder inside it), unpacked now if need be; None when it is not
        stored.
        """
        name = base64.b64decode(sha256).hex()
        target = self._trees / name
        with self._lock:
            if not target.is_dir():
                archive = self._zips / f"{name}.zip"
                if not archive.is_file():
                    return None
                self._unpack(archive, target)
        path = target / folder if folder else target
        return path if path.is_dir() else None

    def _unpack(self, archive: Path, target: Path) -> None:
        """Unpack beside the target and rename, so that a half-written tree is never used. Keeps the execute bits."""
        partial = target.with_suffix(f".{uuid.uuid4().hex}")
        partial.mkdir()
        try:
            with zipfile.ZipFile(archive) as content:
                for member in content.infolist():
                    path = content.extract(member, partial)
                    mode = (member.external_attr >> 16) & 0o777
                    if mode and not member.is_dir():
                        Path(path).chmod(mode | 0o600)
            partial.replace(target)
        except (OSError, zipfile.BadZipFile, RuntimeError) as problem:
            raise invalid(f"Could not unzip the code: {problem}") from problem
        finally:
            shutil.rmtree(partial, ignore_errors=True)
