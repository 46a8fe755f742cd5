"""Outside of debugging nothing is served without the two secrets, and the refusal says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_start_without_secrets_ends_with_a_sentence(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if "SECRET_KEY" not in name and "ENCRYPTION" not in name}
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={**kept, "DASH_VAR": str(tmp_path), "DEBUG": "0"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "SECRET_KEY and FIELD_ENCRYPTION_KEY must not be empty" in done.stderr and "make run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("secret", "key", "missing"),
    [
        ("", "", "SECRET_KEY and FIELD_ENCRYPTION_KEY must not be empty"),
        ("x", "", "FIELD_ENCRYPTION_KEY must not be empty"),
        ("", "x", "SECRET_KEY must not be empty"),
    ],
)
def test_a_missing_secret_is_refused_by_name(settings: Any, secret: str, key: str, missing: str) -> None:
    settings.DEBUG, settings.SECRET_KEY, settings.FIELD_ENCRYPTION_KEY = False, secret, key
    with pytest.raises(SystemCheckError) as refused:
        call_command("check")
    assert f": (core.E001) {missing}" in str(refused.value)


@pytest.mark.parametrize(("debug", "secret", "key"), [(False, "x", "y"), (True, "", "")])
def test_with_both_or_while_debugging_nothing_is_refused(settings: Any, debug: bool, secret: str, key: str) -> None:
    settings.DEBUG, settings.SECRET_KEY, settings.FIELD_ENCRYPTION_KEY = debug, secret, key
    call_command("check")
