"""Which process runs which tests, when there are several (`pytest -n`). A plugin of its own, named in pyproject.toml.

A file is never divided. All tests that break the running platform share one process, and those of the browser another,
because each process that meets such a test starts a platform: half a minute. Those two come first, as the longest.
"""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = {"tests/faults/": "platform", "tests/e2e/": "platform", "tests/browser/": "browser"}


def scope_of(nodeid: str) -> str:
    """What stays in one process with this test."""
    return next((name for folder, name in TOGETHER.items() if nodeid.startswith(folder)), nodeid.split("::")[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {"platform": 0, "browser": 1}
    items.sort(key=lambda item: ranks.get(scope_of(item.nodeid), 2))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling  # only there when there are several processes

    class ByPlatform(LoadScopeScheduling):  # type: ignore[misc]  # no type information in xdist
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return ByPlatform(config, log)
