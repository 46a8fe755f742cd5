"""Starts the real servers the tests run against. Loaded by pytest (`-p tests.stack`) before the settings are read.

With several processes (`-n`), the first starts PostgreSQL, Valkey and the carrier for all, and each an AWS of its own:
tests count what is in it. With DATABASE_URL in the environment nothing is started. When the stack does not come up,
tests that need no server still run; those that do fail with what the stack said.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120
_WORKER = "PYTEST_XDIST_WORKER" in os.environ  # inherits everything from the process that started the stack
_OUTSIDE = "DATABASE_URL" in os.environ and "STACK_FOR_WORKERS" not in os.environ
_FOR_WORKERS = any(word.startswith("-n") for word in sys.argv)
_process: subprocess.Popen[str] | None = None
_own = Path(tempfile.mkdtemp(prefix="sp-test-"))
_var = Path(os.environ["DASH_VAR"]) if _WORKER else _own
_trouble = ""

os.environ["DASH_VAR"] = str(_var)
(_var / "static").mkdir(exist_ok=True)  # WhiteNoise warns when it is missing
os.environ["DEBUG"] = "0"
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("FIELD_ENCRYPTION_KEY", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
os.environ["ALLOWED_HOSTS"] = "localhost,127.0.0.1,[::1],testserver"
os.environ["SAMPLE_DATA"] = "0"
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")


def _start(var: Path, only: str) -> dict[str, str]:
    """Start a stack and take over its addresses. Raises OSError when it does not come up."""
    global _process
    command = [sys.executable, "-m", "embedded", "up", "--var", str(var), "--only", only]
    path = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    log = var / "stack.log"
    with log.open("w", encoding="utf-8") as errors:
        _process = subprocess.Popen(  # noqa: S603  # our own stack
            [*command, "--ready-json", "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
        )
    assert _process.stdout is not None
    ready, _write, _error = select.select([_process.stdout], [], [], PATIENCE_S)
    line = _process.stdout.readline() if ready else ""
    if not line:
        said = log.read_text(encoding="utf-8")[-2000:]
        _stop()
        raise OSError(f"The embedded stack did not come up (it has {PATIENCE_S} s):\n{said}")
    addresses: dict[str, str] = json.loads(line)["env"]
    return addresses


def _stop() -> None:
    global _process
    if _process is not None:
        if _process.stdin is not None:
            _process.stdin.close()
        try:
            _process.wait(30)
        except subprocess.TimeoutExpired:
            _process.kill()
        _process = None
    shutil.rmtree(_own, ignore_errors=True)


def _parts() -> str:
    """Which servers this process starts."""
    if _WORKER:
        return "aws"
    return "postgres,valkey,carrier" if _FOR_WORKERS else "postgres,valkey,aws,carrier"


if not _OUTSIDE and not {"--help", "-h", "--version", "--collect-only", "--co"} & set(sys.argv):
    try:
        addresses = _start(_own, _parts())
        wanted = {key: str(value) for key, value in addresses.items() if value is not None}
        os.environ.update({key: value for key, value in wanted.items() if not _WORKER or key.startswith("AWS_")})
    except (OSError, ValueError, KeyError) as error:
        _trouble = str(error)
    os.environ["DASH_VAR"] = str(_var)
    os.environ["SAMPLE_DATA"] = "0"  # tests make what they need
    os.environ["STACK_FOR_WORKERS"] = "1"


def pytest_runtest_setup(item: pytest.Item) -> None:
    needs_server = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    if _trouble and (needs_server or item.get_closest_marker("django_db")):
        pytest.fail(_trouble, pytrace=False)


def pytest_unconfigure(config: pytest.Config) -> None:
    _stop()
