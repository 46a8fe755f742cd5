"""The door to carriers' servers: `open_transport` for one connection, `SharedConnection` for one that mends itself."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from shipments.functions.fetch_documents.connection import (
    Connection,
    ConnectionFault,
    Listing,
    Progress,
    RemoteFile,
    Transport,
    no_progress,
)
from shipments.functions.fetch_documents.patterns import PathPattern
from shipments.functions.runtime.errors import ItemError

MOST_FAULTS = 3
"""Faults in one call after which the server is left alone and every further item gets the last fault."""
MOST_RESUMES = 5
"""Times one file is gone on with, as long as each time brought some of it."""
OVERLAP = 1_024
"""Bytes that are fetched again when a file is gone on with: they must be the same, else it is another file by now."""
MOST_FOLDERS = 200
BUSY_WAITS_S = (1.0, 3.0)
"""A server that takes no more sessions is asked again after these."""
T = TypeVar("T")


def open_transport(connection: Connection, progress: Progress = no_progress) -> Transport:
    """Connect and log in; raises ConnectionFault in plain words. asyncssh is imported only where SFTP is spoken."""
    if connection.protocol == "sftp":
        from shipments.functions.fetch_documents.sftp import SftpTransport

        return SftpTransport(connection, progress)
    from shipments.functions.fetch_documents.ftp import FtpTransport

    return FtpTransport(connection, progress)


class SharedConnection:
    """One connection shared by many items: opened once, reopened once for an operation whose connection dropped.

    When it could not be opened at all, after a fault that a new connection cannot mend, or after three faults, every
    further operation raises that fault at once, so that a dead server costs a few time-outs and not one an item.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._transport: Transport | None = None
        self._listings: dict[str, Listing] = {}
        self._lowered: dict[str, list[str | None]] = {}
        self._faults = 0
        self._over: ConnectionFault | None = None
        self._ever_open = False

    def __enter__(self) -> "SharedConnection":
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    def use(self, transport: Transport) -> None:
        """Work with a connection that somebody else has opened."""
        self._transport = transport

    def listing(self, directory: str) -> Listing:
        """Files and folders of `directory`, asked for once."""
        if directory not in self._listings:
            listing = self._mended(lambda transport: transport.listing(directory))
            if listing.cut:
                self._close()  # the rest of it would come in between
            self._listings[directory] = listing
        return self._listings[directory]

    def folders(self, pattern: PathPattern, number: str | None = None) -> list[str]:
        """The directories that a pattern means: one, or those that its wildcards find, at most 200.

        With a `number` only those that can hold its files.
        """
        found = [pattern.base]
        for part in pattern.wild:
            deeper = [
                f"{folder.rstrip('/')}/{name}"
                for folder in found
                for name in sorted(self.listing(folder).folders)
                if pattern.takes_folder(part, name, number)
            ]
            if len(deeper) > MOST_FOLDERS:
                message = f"{pattern.directory} means {len(deeper)} directories; at most {MOST_FOLDERS} are looked into"
                raise ItemError("TooManyFolders", message)
            found = deeper
        return found

    def files_of(self, pattern: PathPattern, number: str) -> list[RemoteFile]:
        """The listed files of one tracking number."""
        return [
            file
            for folder in self.folders(pattern, number)
            for file in self._holding(folder, number if pattern.number_in_name else "")
            if pattern.takes_file(file.name, number)
        ]

    def _holding(self, folder: str, number: str) -> list[RemoteFile]:
        """Those whose name holds `number` somewhere: a thousand shipments look through a thousand names."""
        files = self.listing(folder).files
        if not number.isascii():
            return files
        if folder not in self._lowered:
            self._lowered[folder] = [file.name.lower() if file.name.isascii() else None for file in files]
        wanted = number.lower()
        return [file for file, name in zip(files, self._lowered[folder], strict=True) if name is None or wanted in name]

    def read(self, file: RemoteFile, *, ask: bool = True) -> tuple[RemoteFile, bytes]:
        """`file` and its content; where the listing did not tell, size and time are asked for first (`ask`).

        A transfer that breaks off is gone on with where it stopped, on a new connection.
        """
        if ask and (file.size is None or file.modified is None):
            file = self._mended(lambda transport: transport.complete(file))
        kept = bytearray()
        for resumes in range(MOST_RESUMES + 1):
            content = kept[: max(0, len(kept) - OVERLAP)]
            try:
                self._read_on(file, content, kept)
                break
            except ConnectionFault as fault:
                went_on = len(content) > len(kept)
                if not fault.dropped or self._over is not None or (resumes and not went_on) or resumes == MOST_RESUMES:
                    raise
                kept = content if went_on else kept
        if kept:
            self._check_unchanged(file)
        return file, bytes(content)

    def _check_unchanged(self, file: RemoteFile) -> None:
        """After a transfer in parts: size and time on the server must still be those of its beginning."""
        now = self._mended(lambda transport: transport.complete(replace(file, size=None, modified=None)))
        pairs: list[tuple[object, object]] = [(file.size, now.size)]
        if file.modified and "+" in file.modified:
            pairs.append((file.modified, now.modified))
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise ItemError("StillGrowing", f"{file.name} changed on the server while it was being fetched", True)

    def _read_on(self, file: RemoteFile, content: bytearray, kept: bytearray) -> None:
        """Append what is missing; what comes a second time must be what came the first time."""
        try:
            self._once(lambda transport: transport.read(file, self.connection.max_bytes, content), resuming=bool(kept))
        finally:
            both = min(len(content), len(kept))
            if content[:both] != kept[:both]:
                message = f"{file.name} changed on the server while it was being fetched: wait for the next listing"
                raise ItemError("StillGrowing", message, True)

    def current(self, file: RemoteFile) -> RemoteFile:
        """`file` with the size that the server states now; the time is left out."""
        asked = self._mended(lambda transport: transport.complete(replace(file, size=None)))
        return replace(file, size=asked.size)

    def remove(self, file: RemoteFile) -> None:
        """Delete it on the server."""
        self._mended(lambda transport: transport.remove(file))

    def move(self, file: RemoteFile, directory: str) -> None:
        """Move it into another directory of the server."""
        self._mended(lambda transport: transport.move(file, directory))

    def address(self, file: RemoteFile) -> str:
        """Where a listed file lies, as text that `located` understands in another call."""
        return self._opened().address(file)

    def located(self, address: object) -> str:
        """The path behind an address."""
        return self._once(lambda transport: transport.located(address))

    def _mended(self, operation: Callable[[Transport], T]) -> T:
        """Run `operation`; once more on a new connection when the old one dropped."""
        try:
            return self._once(operation)
        except ConnectionFault as fault:
            if not fault.dropped or self._over is not None:
                raise
        return self._once(operation)

    def _once(self, operation: Callable[[Transport], T], resuming: bool = False) -> T:
        if self._over is not None:
            raise self._over
        try:
            return operation(self._opened())
        except ConnectionFault as fault:
            self._close()
            self._faults += not resuming
            if not fault.retryable or self._faults >= MOST_FAULTS:
                self._over = fault
            raise

    def _opened(self) -> Transport:
        """The open connection; a server that has no place for us is asked again a little later."""
        for wait_s in (*BUSY_WAITS_S, None):
            if self._transport is not None:
                break
            try:
                self._transport = open_transport(self.connection)
                self._ever_open = True
            except ConnectionFault as fault:
                if fault.type != "ServerBusy" or wait_s is None:
                    self._over = None if self._ever_open else fault
                    raise
                time.sleep(wait_s)
        assert self._transport is not None  # noqa: S101  # the last round opened it or raised
        return self._transport

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
