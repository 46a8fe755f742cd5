"""Outside of debugging nothing is served without the two secrets, and the refusal says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(tmp_path: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` in an environment that has only these two secrets."""
    kept = {name: value for name, value in os.environ.items() if "SECRET_KEY" not in name and "ENCRYPTION" not in name}
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={**kept, "DASH_VAR": str(tmp_path), **given}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "SECRET_KEY and FIELD_ENCRYPTION_KEY must not be empty"),
        ({"SECRET_KEY": "x"}, "FIELD_ENCRYPTION_KEY must not be empty"),
        ({"FIELD_ENCRYPTION_KEY": "x"}, "SECRET_KEY must not be empty"),
    ],
)
def test_a_missing_secret_is_refused_by_name(tmp_path: Path, given: dict[str, str], missing: str) -> None:
    done = check(tmp_path, DEBUG="0", **given)
    assert done.returncode != 0
    assert missing in done.stderr and "make run" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_both_or_while_debugging_nothing_is_refused(tmp_path: Path) -> None:
    for given in ({"DEBUG": "0", "SECRET_KEY": "x", "FIELD_ENCRYPTION_KEY": "y"}, {"DEBUG": "1"}):
        done = check(tmp_path, **given)
        assert done.returncode == 0, done.stderr
