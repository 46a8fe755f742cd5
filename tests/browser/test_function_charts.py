"""The charts of a function's page by mouse: dragging over one zooms the page, a click opens the invocations."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_dragging_zooms_all_charts_and_a_click_opens_the_invocations(page_of: Callable[..., Page]) -> None:
    page = page_of("viewer")
    page.goto("/functions/?range=30d&sort=-invocations")
    page.click("table tbody th a >> nth=0")
    expect(page.locator(".chart[data-drawn]")).to_have_count(7)
    assert page.locator(".chart").nth(0).get_attribute("data-step") == "day"

    page.wait_for_load_state("networkidle")  # parts above the charts come later and move them
    page.locator("#chart-calls").scroll_into_view_if_needed()
    area = page.locator("#chart-calls .nsewdrag").bounding_box()
    assert area is not None
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + area["width"] * 0.50, middle)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.62, middle, steps=5)
    page.mouse.move(area["x"] + area["width"] * 0.75, middle, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"range=custom&from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d#chart-calls$"))
    expect(page.locator(".chart[data-drawn]")).to_have_count(7)
    ranges = page.evaluate("[...document.querySelectorAll('.chart')].map((node) => node.layout.xaxis.range.join())")
    assert len(set(ranges)) == 1  # all of them follow

    page.wait_for_load_state("networkidle")
    page.locator("#chart-calls").scroll_into_view_if_needed()
    bar = page.locator("#chart-calls .bars .point path").first.bounding_box()
    assert bar is not None
    page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.wait_for_url(re.compile(r"at=\d{4}-\d\d-\d\d#invocations$"))
    expect(page.locator("#invocations")).to_contain_text("Whole time range")
    page.get_by_role("link", name="timed out", exact=True).click()
    page.wait_for_url(re.compile(r"ended=timeout"))
    expect(page.locator("#invocations a[aria-current=true]")).to_have_text("timed out")
    page.go_back()
    page.go_back()
    expect(page).to_have_url(re.compile(r"range=custom&from=[\d-]+&to=[\d-]+#chart-calls$"))
    expect(page.locator(".chart[data-drawn]")).to_have_count(7)
