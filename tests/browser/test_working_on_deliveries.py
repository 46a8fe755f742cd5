"""What an operator does all day: select deliveries, run a function on them, read the outcome."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import run_once, wait_for_batch

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_three_selected_deliveries_are_rendered_and_show_their_delivery_note(page_of: Callable[..., Page]) -> None:
    page = page_of("operator")
    page.goto("/deliveries/")
    boxes = page.locator("table tbody input[data-select]")
    chosen = [boxes.nth(place).get_attribute("value") for place in range(3)]
    for place in range(3):
        boxes.nth(place).check()
    expect(page.locator("[data-selected-count]")).to_have_text("3")
    page.click("[data-selection-bar] button[value=render_pdf]")

    expect(page.locator("[data-plan-items]")).to_have_attribute("data-plan-items", "3")
    page.click("form[action$='/start/'] button.btn-primary")
    page.wait_for_url("**/batches/**")
    wait_for_batch(page)

    expect(page.locator("#batch-live .progress-words")).to_contain_text("100 %")
    items = page.locator("section:has(#items) tbody tr")
    expect(items).to_have_count(3)
    for place in range(3):
        expect(items.nth(place).locator(".badge")).to_have_attribute("data-value", "succeeded")

    page.goto(f"/deliveries/{chosen[0]}/")
    documents = page.locator("section", has=page.get_by_role("heading", name="Documents"))
    note = documents.locator("details", has_text="delivery note").first
    expect(note).to_be_visible()
    with page.expect_download() as download:
        note.get_by_text("Download").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")


@pytest.mark.slow
def test_a_single_run_shows_the_answer_of_the_function(page_of: Callable[..., Page]) -> None:
    page = page_of("operator")
    run_once(page, "", "platform-wait-probe", '{"seconds": 0}')
    expect(page.locator(".chunk-more pre").first).to_contain_text('"slept": 0')
    expect(page.locator("#batch-live .progress-words")).to_contain_text("1 done")


def test_a_payload_that_is_not_json_is_refused_and_kept(page_of: Callable[..., Page]) -> None:
    page = page_of("operator", allowed="status of 400")
    page.goto("/functions/?q=platform-wait-probe")
    page.click("table tbody th a:text-is('platform-wait-probe')")
    page.fill("textarea[name=payload]", "{seconds: 0}")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.evaluate("document.querySelector('#run form').submit()")
    assert answer.value.status == 400
    expect(page.locator("#run .invalid-feedback")).to_contain_text("This is not JSON")
    expect(page.locator("textarea[name=payload]")).to_have_value("{seconds: 0}")
