"""The door to carriers' servers: `open_transport` for one connection, `SharedConnection` for one that mends itself."""

from collections.abc import Callable
from typing import TypeVar

from shipments.functions.fetch_documents.connection import Connection, ConnectionFault, RemoteFile, Transport

MOST_FAULTS = 3
"""Faults in one call after which the server is left alone and every further item gets the last fault."""
T = TypeVar("T")


def open_transport(connection: Connection) -> Transport:
    """Connect and log in; raises ConnectionFault in plain words. asyncssh is imported only where SFTP is spoken."""
    if connection.protocol == "sftp":
        from shipments.functions.fetch_documents.sftp import SftpTransport

        return SftpTransport(connection)
    from shipments.functions.fetch_documents.ftp import FtpTransport

    return FtpTransport(connection)


class SharedConnection:
    """One connection shared by many items: opened once, reopened once for an operation whose connection dropped.

    After a fault that a new connection cannot mend, or three faults in all, every further operation raises that fault
    at once, so that a dead server costs a few time-outs and not one an item.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._transport: Transport | None = None
        self._listings: dict[str, list[RemoteFile]] = {}
        self._faults = 0
        self._over: ConnectionFault | None = None

    def __enter__(self) -> "SharedConnection":
        self._transport = open_transport(self.connection)
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    def listing(self, directory: str) -> list[RemoteFile]:
        """The plain files of `directory`, asked for once."""
        if directory not in self._listings:
            self._listings[directory] = self._mended(lambda transport: transport.listing(directory))
        return self._listings[directory]

    def read(self, file: RemoteFile) -> tuple[RemoteFile, bytes]:
        """`file` with size and time completed, and its content."""

        def complete_and_read(transport: Transport) -> tuple[RemoteFile, bytes]:
            completed = transport.complete(file)
            return completed, transport.read(completed, self.connection.max_bytes)

        return self._mended(complete_and_read)

    def _mended(self, operation: Callable[[Transport], T]) -> T:
        """Run `operation`; once more on a new connection when the old one dropped."""
        try:
            return self._once(operation)
        except ConnectionFault as fault:
            if not fault.dropped or self._over is not None:
                raise
        return self._once(operation)

    def _once(self, operation: Callable[[Transport], T]) -> T:
        if self._over is not None:
            raise self._over
        try:
            if self._transport is None:
                self._transport = open_transport(self.connection)
            return operation(self._transport)
        except ConnectionFault as fault:
            self._close()
            self._faults += 1
            if not fault.retryable or self._faults >= MOST_FAULTS:
                self._over = fault
            raise

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
