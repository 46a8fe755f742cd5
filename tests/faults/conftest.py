"""The platform to break, and the table of what came of it (RELIABILITY_TABLE names the file to write it to)."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.reliability import Case, Table
from tests.faults.runs import Faulty
from tests.running_platform import Platform, until

FUNCTION = "fault-function"
THROTTLED = "fault-function-throttled"
TABLE = pytest.StashKey[Table]()


@pytest.fixture(scope="session")
def shared_faulty(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    faulty = Faulty(platform, tmp_path_factory.mktemp("counts"))
    faulty.publish(FUNCTION, THROTTLED)
    return faulty


@pytest.fixture
def faulty(shared_faulty: Faulty) -> Iterator[Faulty]:
    """Whole before and after each test."""
    assert until(shared_faulty.healthy, 60, 0.5), "the platform was not well before this test"
    yield shared_faulty
    assert until(shared_faulty.healthy, 60, 0.5), "the test has left the platform broken"


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Callable[[str, str], Case]:
    """`case("worker kill -9", "killed after 1,000 items")`: a row of the table with this test's verdict."""
    table = request.config.stash.setdefault(TABLE, Table())

    def add(fault: str, what: str) -> Case:
        return table.add(request.node.nodeid, fault, what)

    return add


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report: Any = yield
    if TABLE in item.config.stash and (report.when == "call" or not report.passed):
        item.config.stash[TABLE].judge(item.nodeid, passed=report.passed)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = os.environ.get("RELIABILITY_TABLE")
    if path and TABLE in session.config.stash:
        session.config.stash[TABLE].write(Path(path))
