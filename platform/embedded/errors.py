"""What the stack tells a person instead of a traceback."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StackError(Exception):
    """The stack cannot start or go on; the message is one or two sentences that say what to do."""


@contextmanager
def file_sentences(folder: Path) -> Iterator[None]:
    """Turn the file errors a person can mend (full disk, no permission, read-only) into sentences about `folder`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StackError(
                f"The disk that holds {folder} is full. Make room, or choose another: VAR=... make run"
            ) from error
        if error.errno == errno.EROFS:
            raise StackError(
                f"{folder} is on a read-only disk. Choose another data folder: VAR=... make run"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise StackError(
                f"No permission to write {error.filename or folder}. "
                "Mend its rights, or choose another data folder: VAR=... make run"
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise StackError(
                f"{error.filename or folder} is in the way: a folder is needed there. Choose another: VAR=... make run"
            ) from error
        raise
