"""SFTP, read from one folder, with a host key of its own."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import asyncssh


def host_key(data: Path) -> asyncssh.SSHKey:
    """The server's key, made once and kept."""
    path = data / "sftp-host-key"
    if not path.exists():
        path.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
        path.chmod(0o600)
    return asyncssh.read_private_key(str(path))


def serve(root: Path, port: int, *, username: str, password: str, key: asyncssh.SSHKey) -> None:
    """Start serving in a thread."""

    class Server(asyncssh.SSHServer):
        def begin_auth(self, name: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, name: str, given: str) -> bool:
            return name == username and given == password

    def chrooted(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    async def listen() -> None:
        await asyncssh.listen("127.0.0.1", port, server_factory=Server, server_host_keys=[key], sftp_factory=chrooted)
        started.set()
        await asyncio.Event().wait()

    started = threading.Event()
    threading.Thread(target=lambda: asyncio.run(listen()), daemon=True).start()
    if not started.wait(20):
        raise RuntimeError("the SFTP server did not start within 20 s")
