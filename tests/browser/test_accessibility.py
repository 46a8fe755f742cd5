"""axe finds nothing serious or critical, in either theme."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.pages import run_once
from tests.browser.screenshots import addresses

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHECKED = (
    "home", "deliveries", "delivery", "batch", "functions", "function", "costs", "budgets", "anomalies", "notice-choices",
    "notifications", "documents", "document",
    "board", "connections", "rules", "changes", "syncs", "telemetry", "findings", "fleet",
)  # fmt: skip


def serious(page: Page) -> list[str]:
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations)")
    return [
        f"{entry['id']}: {node['html'][:150]} ({node['failureSummary'][:300]})"
        for entry in found
        if entry["impact"] in {"serious", "critical"}
        for node in entry["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_have_no_serious_barrier(page_of: Callable[..., Page], axe_script: Path, theme: str) -> None:
    page = page_of("operator", theme=theme, init_script=axe_script)
    found = addresses(page, "")
    if "batch" not in found:
        run_once(page, "", "platform-wait-probe", '{"seconds": 0}')
        found = addresses(page, "")
    problems = {}
    for name in CHECKED:
        page.goto(found[name])
        page.wait_for_load_state("networkidle")
        if barriers := serious(page):
            problems[name] = barriers
    assert not problems, "\n".join(f"{name}: {text}" for name, texts in problems.items() for text in texts)
