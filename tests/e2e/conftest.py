"""One platform for all tests here: it takes half a minute to start."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.e2e.running_platform import Platform, running


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if sys.platform != "linux":
        pytest.skip("finds and kills processes by /proc, which only Linux has")
    with running(tmp_path_factory.mktemp("e2e") / "var") as started:
        yield started
