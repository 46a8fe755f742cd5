"""The stack itself: which children there are, in which order they start and stop, and what is said meanwhile."""

import hashlib
import http.client
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded import folders, ports, processes, settings
from embedded.errors import StackError
from embedded.postgres import Postgres
from embedded.supervisor import Child, Step, Supervisor
from embedded.terminal import Terminal
from embedded.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("postgres", "valkey", "aws", "carrier")
_WEB = ("web", "worker", "beat")
_WARM_STOP = ((signal.SIGTERM, 6.0), (signal.SIGQUIT, 3.0))  # Celery: finish what runs, then hand it back


@dataclass(frozen=True)
class Options:
    """What `up` was asked for; `only` empty means everything including the web side.

    `extra_files` is a folder whose files the carrier stand-in serves as they are.
    """

    var: Path
    port: int = 8000
    only: tuple[str, ...] = ()
    extra_files: Path | None = None
    sample: bool = True

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(name for name in SERVERS if not self.only or name in self.only)

    @property
    def web(self) -> bool:
        return not self.only


class Stack:
    """One run of the stack on one data folder."""

    def __init__(self, options: Options, terminal: Terminal, stop_requested: Callable[[], bool]) -> None:
        self.options = options
        self.terminal = terminal
        self.data = folders.open_data_folder(options.var)
        self.lock = folders.DataLock(self.data)
        self.lock.note(None)
        self.port = self._web_port() if options.web else options.port
        self.url = f"http://{ports.HOST}:{self.port}" if options.web else None
        self.lock.note(self.url)
        self.run_folder = folders.open_run_folder(self.data)
        self.ports = ports.remembered_ports(self.data / "ports.json", ["aws", "ftp", "ftps", "sftp"])
        self.env: dict[str, str] = {}
        self.supervisor = Supervisor(
            logs=self.data / "log", cwd=ROOT, terminal=terminal, stop_requested=stop_requested
        )  # fmt: skip

    def _web_port(self) -> int:
        if self.options.port == 0:
            return ports.free_port()
        if not ports.is_free(self.options.port):
            raise StackError(
                f"Port {self.options.port} is taken by {ports.holder(self.options.port)}. "
                "Stop it, or choose another port: "
                f"PORT={self.options.port + 1 if self.options.port < 65535 else 8001} make run"
            )
        return self.options.port

    # --- starting ---------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Bring everything up that was asked for; returns when all of it is ready.

        Raises:
            StackError: something did not come up.
            StopRequestedError: somebody asked to stop meanwhile.
        """
        began = time.monotonic()
        (self.data / "stack.env").unlink(missing_ok=True)
        if ended := processes.end_leftovers(self.data):
            self.terminal.say(f"ended {ended} processes left over from a stack that was killed", "warn")
        self.terminal.say(f"Data in {self.data}")
        self.env = settings.web_env(self.data, self.port, sample=self.options.sample)
        self._set_child_env()
        makers = {"postgres": self._postgres, "valkey": self._valkey, "aws": self._aws, "carrier": self._carrier}
        for name in self.options.servers:
            self.supervisor.launch(makers[name]())
        self._static_now = _static_fingerprint()  # before: a change made meanwhile counts for the next start
        static = self._begin_static() if self.options.web else None
        self._announce(*(name for name in self.options.servers if name in ("postgres", "valkey")))
        if self.options.web:
            self._set_child_env()
            self._finish(self._begin("migrate", "database schema", seconds=600))
        self._announce(*(name for name in self.options.servers if name in ("aws", "carrier")))
        self._set_child_env()
        settings.write_stack_file(self.data / "stack.env", self.env)
        if self.options.web:
            self._finish(self._begin("bootstrap_site", "roles, functions and sample data", seconds=1800))
            if static is not None:
                self._finish(static)
                self._static_stamp.write_text(self._static_now, encoding="ascii")
            self._start_web_side()
        self.terminal.say()
        self.terminal.say(f"Everything is up after {time.monotonic() - began:.1f} s", "ok")

    def _set_child_env(self) -> None:
        self.supervisor.env = settings.child_env(ROOT, {**self.env, processes.MARK: str(self.data)})

    def _announce(self, *names: str) -> None:
        for name in names:
            self.supervisor.wait_ready(name)
            child = next(child for child in self.supervisor.children if child.name == name)
            self.terminal.say(f"{name:<14} {child.ready_after:5.1f} s", "ok")

    def _begin(self, name: str, what: str, *, seconds: float) -> Step:
        self.terminal.say(f"{name:<14}       {what}", "wait")
        # The browsable API is not served, so its files need not be collected and compressed.
        options = {"migrate": ["--noinput"], "collectstatic": ["--noinput", "-i", "rest_framework"]}.get(name, [])
        return self.supervisor.begin_step(name, [sys.executable, ROOT / "manage.py", name, *options], seconds=seconds)

    def _finish(self, step: Step) -> None:
        self.terminal.say(f"{step.name:<14} {self.supervisor.finish_step(step):5.1f} s", "ok")

    def _begin_static(self) -> Step | None:
        """Collect static files only when a source changed since the last time: it takes seconds, beside the rest."""
        collected = (self.data / "static").exists() and self._static_stamp.exists()
        if collected and self._static_stamp.read_text(encoding="ascii") == self._static_now:
            return None
        return self._begin("collectstatic", "style sheets and scripts", seconds=300)

    @property
    def _static_stamp(self) -> Path:
        return self.data / "static.stamp"

    # --- the children -----------------------------------------------------------------------------------------
    def _postgres(self) -> Child:
        server = Postgres(self.data / "postgres", self.run_folder / "pg")
        if not (server.folder / "PG_VERSION").exists():
            self.terminal.say("postgres             making a new database", "wait")
        server.prepare()
        self.env["DATABASE_URL"] = server.url
        return Child(
            "postgres", server.command, server.ready,
            stop=((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0)),  # fast, then immediate shutdown
            death_signal=signal.SIGINT, enter=server.identity.enter, user=server.identity.user,
            # After a kill the old shared memory can be in use for seconds; eight tries last about ten.
            patience=8,
        )  # fmt: skip

    def _valkey(self) -> Child:
        server = Valkey(self.data / "valkey", self.run_folder)
        server.prepare()
        self.env["VALKEY_URL"] = server.url
        return Child("valkey", server.command, server.ready, death_signal=signal.SIGTERM, patience=8)

    def _aws(self) -> Child:
        port = str(self.ports["aws"])
        child = Child(
            "aws", [sys.executable, "-m", "embedded.aws", "--port", port, "--data", self.data / "aws"],
            lambda: self._take_answer(child, "endpoint", lambda said: settings.aws_env(said["endpoint"])),
            death_signal=signal.SIGTERM,
        )  # fmt: skip
        return child

    def _carrier(self) -> Child:
        facts = self.data / "carrier" / "facts.json"  # written by the stand-in once it listens
        given = [part for name in ("ftp", "ftps", "sftp") for part in (f"--{name}", str(self.ports[name]))]
        extra: list[str | Path] = ["--extra", self.options.extra_files] if self.options.extra_files else []
        return Child(
            "carrier",
            [sys.executable, "-m", "embedded.carrier", "serve", "--data", self.data / "carrier", *given, *extra],
            lambda: self._take_facts(facts),
            death_signal=signal.SIGTERM, before_start=lambda: facts.unlink(missing_ok=True),
        )  # fmt: skip

    def _take_facts(self, facts: Path) -> bool:
        if not facts.exists():
            return False
        self.env["CARRIER_STANDIN"] = facts.read_text(encoding="utf-8")
        return True

    def _take_answer(self, child: Child, key: str, to_env: Callable[[dict[str, Any]], dict[str, str]]) -> bool:
        """Look in the child's output for the JSON line by which it says that it is ready."""
        for line in self.supervisor.log_since_start(child).splitlines():
            if line.startswith("{"):
                try:
                    said = json.loads(line)
                except ValueError:
                    continue
                if isinstance(said, dict) and key in said:
                    self.env.update(to_env(said))
                    return True
        return False

    def _start_web_side(self) -> None:
        launch, python = self.supervisor.launch, sys.executable
        celery: list[str | Path] = [python, "-m", "celery", "-A", "config"]
        launch(Child(
            "web",
            [python, "-m", "granian", "--interface", "wsgi", "config.wsgi:application", "--host", ports.HOST,
             "--port", str(self.port), "--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers",
             "--workers-kill-timeout", "5", "--no-ws"],
            self._web_answers, death_signal=signal.SIGTERM,
        ))  # fmt: skip
        worker = launch(Child(
            "worker", [*celery, "worker", "--pool", "threads", "--concurrency", "8", "--loglevel", "INFO"],
            lambda: " ready." in self.supervisor.log_since_start(worker), stop=_WARM_STOP,
        ))  # fmt: skip
        schedule = self.data / "beat-schedule"
        beat = launch(Child(
            "beat", [*celery, "beat", "--schedule", schedule, "--pidfile", "", "--loglevel", "INFO"],
            lambda: "beat: Starting" in self.supervisor.log_since_start(beat),
        ))  # fmt: skip
        self._announce("web", "worker", "beat")

    def _web_answers(self) -> bool:
        """Whether the web process answers; its health page needs no login and no database."""
        connection = http.client.HTTPConnection(ports.HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    # --- the end ----------------------------------------------------------------------------------------------
    def logins(self) -> list[dict[str, str]]:
        """What `bootstrap_site` left for the person: username, password, role of each."""
        try:
            found = json.loads((self.data / "logins.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return [login for login in found if isinstance(login, dict)] if isinstance(found, list) else []

    def stop(self, hurry: Callable[[], bool]) -> None:
        """Stop in the reverse order: first who uses the servers, PostgreSQL last."""
        (self.data / "stack.env").unlink(missing_ok=True)
        self.supervisor.stop(_WEB, ("aws", "carrier"), ("valkey",), ("postgres",), hurry=hurry)
        shutil.rmtree(self.run_folder, ignore_errors=True)  # only sockets
        self.lock.release()


def _static_fingerprint() -> str:
    """Changes when a static source does: our files by path, size and time, the packages' by the requirement list."""
    sources = [ROOT / "build" / "vendor", *ROOT.glob("platform/*/static"), *ROOT.glob("*/static"), ROOT / "static"]
    found = hashlib.sha256()
    for folder in sorted(set(sources)):
        if (folder / "staticfiles.json").exists():  # what was collected, in a data folder beside the sources
            continue
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                status = file.stat()
                found.update(f"{file}|{status.st_size}|{status.st_mtime_ns}\n".encode())
    requirements = ROOT / "requirements" / "run.txt"
    found.update(requirements.read_bytes() if requirements.exists() else b"")
    return found.hexdigest()
