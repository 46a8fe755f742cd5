"""The platform to break, and the table of what came of it (RELIABILITY_TABLE names the file to write it to)."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import bad_day as bad_day_of
from tests.faults.functions import ALL
from tests.faults.reliability import Case, Table
from tests.faults.runs import Faulty, Run
from tests.faults.unknown import Lost, Outage, endpoint_down, lose_answers
from tests.running_platform import Platform, until

TABLE = pytest.StashKey[Table]()


@pytest.fixture(scope="session")
def shared_faulty(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    faulty = Faulty(platform, tmp_path_factory.mktemp("counts"))
    faulty.publish(*ALL)
    return faulty


@pytest.fixture(scope="session")
def lost(shared_faulty: Faulty) -> Lost:
    return lose_answers(shared_faulty)


@pytest.fixture(scope="session")
def outage(shared_faulty: Faulty, lost: Lost) -> Outage:
    """Half a minute in which AWS cannot be reached."""
    return endpoint_down(shared_faulty)


@pytest.fixture(scope="session")
def bad_day(shared_faulty: Faulty, outage: Outage) -> dict[str, Run]:
    """Batches of bad functions, begun when AWS can be reached again."""
    return bad_day_of.begin(shared_faulty)


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
