"""The parts of one local AWS, put together, started and stopped."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from embedded.aws.async_events import AsyncQueue
from embedded.aws.code_store import CodeStore
from embedded.aws.control_plane import ControlPlane
from embedded.aws.delivery import Mailer
from embedded.aws.directory import Directory
from embedded.aws.executor import Executor
from embedded.aws.faults import Faults
from embedded.aws.front import FrontServer
from embedded.aws.logs import LogShipper
from embedded.aws.metrics import MetricShipper
from embedded.aws.options import Options
from embedded.aws.overlay import Overlay
from embedded.aws.pool import Pool
from embedded.aws.processes import Spawner, kill_group
from embedded.aws.upstream import Upstream

_MOTO_START_S = 60
_LAST_WRITES_S = 3.0


class Service:
    """Everything the request handlers use. ``start`` returns when requests are answered."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._spawner = Spawner()
        options.data.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(options.data / "environments", ignore_errors=True)
        self._moto, port = _start_moto(options, self._spawner)
        self.faults = Faults()
        self.upstream = Upstream(port)
        self._front = FrontServer(options.port, self)
        self.endpoint = f"http://127.0.0.1:{self._front.server_port}"
        self._assemble()

    def _assemble(self) -> None:
        self.code, overlay = CodeStore(self._options.data), Overlay()
        self.logs = LogShipper(self.upstream)
        self.metrics = MetricShipper(self.upstream)
        self.pool = Pool(self._options, self._spawner, self.endpoint)
        self.control = ControlPlane(
            self.upstream, self.code, overlay, self._options.account_limit, self._changed, self.endpoint
        )
        self.directory = Directory(self.control, overlay, self.code)
        self.executor = Executor(self.pool, self.logs, self.metrics)
        self.mailer = Mailer(self.upstream)
        self.events = AsyncQueue(self._options, self.executor, self.directory.resolve, self.mailer)

    def start(self) -> None:
        """Answer requests from now on."""
        threading.Thread(
            target=self._front.serve_forever, kwargs={"poll_interval": 0.1}, name="front", daemon=True
        ).start()

    def alive(self) -> bool:
        """Whether moto still runs; without it nothing works."""
        return self._moto.poll() is None

    def state(self) -> dict[str, Any]:
        """For the state door."""
        return {
            **self.pool.state(),
            "queue": self.events.state(),
            "async": {"undelivered": self.mailer.undelivered, "dropped": self.mailer.dropped},
            "logs": {"waiting": self.logs.waiting(), "dropped": self.logs.dropped},
            "fault": self.faults.mode(),
            "faults": self.faults.shown(),
            "moto_pid": self._moto.pid,
            "time": time.time(),
        }

    def stop(self) -> None:
        """Stop taking requests, end every child, write the last logs."""
        self._front.shutdown()
        self._front.server_close()
        self.events.close()
        self.pool.close()
        self.logs.close(_LAST_WRITES_S)
        self.metrics.close(_LAST_WRITES_S)
        kill_group(self._moto)
        self._moto.wait()

    def _changed(self, region: str, name: str, retire: bool) -> None:
        self.directory.forget(region, name)
        if retire:
            self.pool.retire(region, name)


def _start_moto(options: Options, spawner: Spawner) -> tuple[subprocess.Popen[bytes], int]:
    """Start the inner server; its own output goes to ``moto.log``. RuntimeError when it does not come up."""
    temporary = options.data / "tmp"
    temporary.mkdir(exist_ok=True)
    package_root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH", ""))))
    variables = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(temporary)}
    log = options.data / "moto.log"
    with log.open("wb") as stream:
        process = spawner.start(
            [sys.executable, "-m", "embedded.aws.moto_server"],
            env=variables,
            cwd=options.data,
            stdout=subprocess.PIPE,
            stderr=stream,
        )
    if process.stdout is None:
        raise RuntimeError("the inner server has no output")
    readable, _, _ = select.select([process.stdout], [], [], _MOTO_START_S)
    line = process.stdout.readline() if readable else b""
    if not line.strip().isdigit():
        kill_group(process)
        raise RuntimeError(f"the inner server did not start within {_MOTO_START_S} s; see {log}")
    return process, int(line)
