"""The data folder, its lock, and the short run folder of the sockets."""

import fcntl
import hashlib
import json
import os
import pwd
import shutil
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded.errors import StackError, file_sentences

NEEDED_BYTES = 500 * 2**20
# sun_path holds 108 bytes including the closing zero (unix(7)); the longest name in the run folder follows.
SOCKET_PATH_LIMIT = 107
_LONGEST_SOCKET = "pg/.s.PGSQL.5432.lock"


def open_data_folder(path: Path) -> Path:
    """Create or check the data folder: ours, writable, with room; returns it resolved.

    Raises:
        StackError: it belongs to somebody else, cannot be written, or its disk is nearly full.
    """
    with file_sentences(path):
        path = path.expanduser().resolve()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(path)
        probe = path / ".writable"
        probe.write_bytes(b"x")
        probe.unlink()
        (path / "log").mkdir(exist_ok=True)
    free = shutil.disk_usage(path).free
    if free < NEEDED_BYTES:
        raise StackError(
            f"Only {free // 2**20} MB are free on the disk that holds {path}; "
            f"the stack needs {NEEDED_BYTES // 2**20} MB. "
            "Make room, or choose another data folder: VAR=... make run"
        )
    return path


def _check_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise StackError(
            f"The data folder {path} belongs to {user_name(owner)}, and you are {user_name(os.geteuid())}. "
            "Start as that user, or choose another data folder: VAR=... make run"
        )


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def open_run_folder(data: Path) -> Path:
    """A short folder for unix sockets, named by user and data folder, 0700 and ours."""
    tag = hashlib.sha256(os.fsencode(data)).hexdigest()[:8]
    name = f"shipment-platform-{os.geteuid()}-{tag}"
    for base in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):  # noqa: S108 - checked below
        folder = Path(base or "/nowhere") / name
        if len(os.fsencode(folder / _LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT and os.access(
            folder.parent, os.W_OK | os.X_OK
        ):
            return _own_run_folder(folder)
    raise StackError(
        "There is no writable temporary folder with a short path for the sockets. Set TMPDIR=/tmp and try again."
    )


def _own_run_folder(folder: Path) -> Path:
    with file_sentences(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise StackError(f"{folder} is not a folder of {user_name(os.geteuid())}. Remove it and try again.")
        folder.chmod(0o700)
        (folder / "pg").mkdir(mode=0o700, exist_ok=True)
    return folder


class DataLock:
    """One stack per data folder: an flock that the kernel drops when its holder dies, however it dies."""

    def __init__(self, data: Path) -> None:
        self._path = data / "lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise StackError(self._who_holds(data)) from None

    def _who_holds(self, data: Path) -> str:
        try:
            held: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            who = f"process {held['pid']} since {held['since']}, at {held.get('url') or 'no web address yet'}"
        except (OSError, ValueError, KeyError):
            who = "another process that is just starting"
        return (
            f"The stack on {data} is already running: {who}. "
            "Use that one, stop it with Ctrl-C, or choose another data folder and port: VAR=... PORT=8001 make run"
        )

    def note(self, url: str | None) -> None:
        """Say in the lock file who holds it, for the next one who tries."""
        held = {"pid": os.getpid(), "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"), "url": url}
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(held).encode(), 0)

    def release(self) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, in one step."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    fresh.replace(path)
