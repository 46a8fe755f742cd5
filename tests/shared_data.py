"""Real inputs for tests and measurements. They lie beside the checkout and are never part of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_path(relative: str) -> Path:
    """The path of a real input; skips the test with a clear message where the folder is absent."""
    base = Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data")
    path = base / relative
    if not path.exists():
        pytest.skip(f"real inputs are not here: {relative} (set SHARED_DATA to the folder that holds them)")
    return path
