"""`platform/` must stay a folder on the path: as a package it would hide the standard library's module."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_standard_library_platform_is_found() -> None:
    assert platform.system()
    assert not Path(platform.__file__).is_relative_to(ROOT / "platform")


def test_platform_folder_is_no_package_and_holds_no_modules() -> None:
    assert not list((ROOT / "platform").glob("*.py"))


def test_no_test_folder_is_named_platform() -> None:
    assert not (ROOT / "tests" / "platform").exists()


@pytest.mark.slow
def test_manage_works_from_any_folder() -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "--version"]
    assert subprocess.run(command, cwd="/", capture_output=True, timeout=60, check=False).returncode == 0  # noqa: S603  # our own


def test_modules_stay_readable() -> None:
    folders = ["platform", "services_registry", "shipments", "costs", "tests"]
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    ]
    assert not long
