"""The frame around every page: charts, keyboard, theme, narrow screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import scrolls_sideways
from tests.browser.screenshots import addresses

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_function_page_draws_its_charts(page_of: Callable[..., Page]) -> None:
    page = page_of("viewer")
    page.goto("/functions/")
    page.click("table tbody th a")
    charts = page.locator(".chart")
    expect(charts.nth(6)).to_be_attached()  # panels come one after the other
    expect(page.locator(".chart[data-drawn]")).to_have_count(charts.count())
    for place in range(charts.count()):
        expect(charts.nth(place).locator("svg.main-svg").first).to_be_visible()


def test_slash_goes_to_the_search_and_finds_as_one_types(page_of: Callable[..., Page]) -> None:
    page = page_of("viewer")
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("#global-search")).to_be_focused()
    page.keyboard.type("wait-probe")
    expect(page.locator("#search-drop a").first).to_contain_text("platform-wait-probe")


def test_j_and_x_select_a_row_without_the_mouse(page_of: Callable[..., Page]) -> None:
    page = page_of("operator")
    page.goto("/deliveries/")
    for key in ("j", "x"):
        page.keyboard.press(key)
    expect(page.locator("table tbody tr").first.locator("input[data-select]")).to_be_checked()
    expect(page.locator("[data-selection-bar]")).to_be_visible()


def test_the_chosen_theme_outlives_a_reload(page_of: Callable[..., Page]) -> None:
    page = page_of("viewer")
    page.goto("/")
    before = page.locator("html").get_attribute("data-bs-theme")
    other = "light" if before == "dark" else "dark"
    with page.expect_response(lambda answer: answer.request.method == "POST" and "theme" in answer.url):
        page.click("[data-theme-toggle]")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", other)
    with page.expect_response(lambda answer: answer.request.method == "POST" and "theme" in answer.url):
        page.click("[data-theme-toggle]")


def test_several_states_are_filtered_at_once_and_stay_in_the_address(page_of: Callable[..., Page]) -> None:
    page = page_of("viewer")
    page.goto("/deliveries/")
    page.click(".filter-status summary")
    for state in ("delivery_delayed", "on_hold"):
        page.check(f".filter-status input[value={state}]")
    page.click(".filter-status .menu-body button")
    page.wait_for_url("**status=delivery_delayed*")
    assert "status=on_hold" in page.url
    states = page.locator("table tbody .badge[data-value]").evaluate_all(
        "nodes => nodes.map(node => node.dataset.value)"
    )
    assert states and set(states) <= {"delivery_delayed", "on_hold"}
    expect(page.locator(".chip")).to_have_count(2)


@pytest.mark.slow
def test_no_page_scrolls_sideways_on_a_telephone(page_of: Callable[..., Page]) -> None:
    page = page_of("admin", width=390)  # who may see every page
    wide = []
    for name, address in addresses(page, "").items():
        if name == "not-found":  # a 404 is a console error by design
            continue
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if scrolls_sideways(page):
            wide.append(name)
    assert not wide
