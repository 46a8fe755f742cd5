"""A viewer looks and starts nothing, whatever the page shows or a script sends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_viewer_sees_no_buttons_that_start_something(page_of: Callable[..., Page]) -> None:
    page = page_of("viewer")
    page.goto("/deliveries/")
    expect(page.locator("table tbody tr").first).to_be_visible()
    expect(page.locator("input[data-select], button[name=capability]")).to_have_count(0)
    page.click("table tbody th a")
    expect(page.locator("button[name=capability]")).to_have_count(0)
    page.goto("/functions/?q=platform-wait-probe")
    page.click("table tbody th a")
    expect(page.locator("textarea[name=payload]")).to_have_count(0)
    expect(page.locator("#run")).to_contain_text("operator role")


@pytest.mark.parametrize("path", ["/batches/plan/", "/batches/start/"])
def test_a_viewer_who_posts_anyway_is_refused(page_of: Callable[..., Page], path: str) -> None:
    page = page_of("viewer")
    page.goto("/deliveries/")
    token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']")
    answer = page.request.post(
        path,
        form={"keys": "1", "capability": "render_pdf"},
        headers={"X-CSRFToken": token, "Referer": page.url},
    )
    assert answer.status == 403
