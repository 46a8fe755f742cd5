"""TCP ports on 127.0.0.1: which are free, and who holds one that is not."""

import json
import socket
from pathlib import Path

HOST = "127.0.0.1"
_LISTEN = "0A"  # state column of /proc/net/tcp, see proc(5)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def remembered_ports(file: Path, names: list[str]) -> dict[str, int]:
    """A port for each name: the one noted in `file` while it is free, so that addresses survive a restart."""
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        noted = {}
    ports: dict[str, int] = {}
    for name in names:
        port = noted.get(name) if isinstance(noted, dict) else None
        usable = isinstance(port, int) and 1024 <= port <= 65535 and port not in ports.values() and is_free(port)
        ports[name] = port if usable and isinstance(port, int) else _unused(set(ports.values()))
    file.write_text(json.dumps(ports), encoding="utf-8")
    return ports


def _unused(taken: set[int]) -> int:
    while (port := free_port()) in taken:
        continue
    return port


def holder(port: int) -> str:
    """`python (pid 4711)` for the process that listens on `port`, or "another process" where /proc does not tell."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in wanted for link in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (pid {process.name})"
        except OSError:  # gone meanwhile, or somebody else's
            continue
    return "another process"


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(columns[9])
    return inodes
