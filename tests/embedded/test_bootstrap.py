"""The set-up script speaks in sentences, also before anything is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.embedded.running_stack import ROOT

SCRIPT = "platform/embedded/bootstrap.py"


def bootstrap(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own script
        [sys.executable, str(clone / SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def clone_of_script(folder: Path) -> Path:
    (folder / SCRIPT).parent.mkdir(parents=True)
    shutil.copyfile(ROOT / SCRIPT, folder / SCRIPT)
    return folder


def test_says_what_is_missing_in_an_incomplete_clone(tmp_path: Path) -> None:
    done = bootstrap(clone_of_script(tmp_path), "run")
    assert done.returncode == 2
    assert "the clone is not complete" in done.stderr
    assert "Traceback" not in done.stderr


def test_refuses_a_word_it_does_not_know(tmp_path: Path) -> None:
    done = bootstrap(clone_of_script(tmp_path), "everything")
    assert done.returncode == 2
    assert done.stderr.startswith("Usage:")


def test_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    code = f"import runpy; runpy.run_path({str(ROOT / SCRIPT)!r}, run_name='only_loaded')"
    # -S -I: no site-packages, no path of ours
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
