"""One private stack for a run: PostgreSQL, Valkey and the local AWS in a temporary folder, with an empty database."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 180


@contextmanager
def private_stack() -> Iterator[Path]:
    """The stack up, its addresses in the environment, Django set up, the schema made. Gives the folder for logs.

    Raises:
        OSError: the stack did not come up; the message ends with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="sp-bench-", ignore_cleanup_errors=True) as folder:
        process = _start(Path(folder))
        try:
            _take_over(process, Path(folder))
            yield Path(folder)
        finally:
            _stop(process)


def child_environment() -> dict[str, str]:
    """For processes beside this one: workers."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)])}


def _start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "embedded", "up", "--var", str(folder), "--only", "postgres,valkey,aws"]
    with (folder / "stack.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(  # noqa: S603  # our own stack
            [*command, "--ready-json", "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=child_environment(),
        )


def _take_over(process: subprocess.Popen[str], folder: Path) -> None:
    if process.stdout is None:
        raise OSError("the stack has no output")
    ready, _write, _error = select.select([process.stdout], [], [], PATIENCE_S)
    line = process.stdout.readline() if ready else ""
    if not line:
        raise OSError("the stack did not come up:\n" + (folder / "stack.log").read_text(encoding="utf-8")[-2000:])
    addresses = json.loads(line)["env"]
    os.environ.update({name: str(value) for name, value in addresses.items() if value is not None})
    os.environ |= {
        "DASH_VAR": str(folder),
        "SAMPLE_DATA": "0",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    }
    (folder / "static").mkdir(exist_ok=True)
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
