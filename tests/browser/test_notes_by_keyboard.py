"""A note is written, mended, deleted and taken back without a mouse; the timeline is filtered in place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def open_delivery(page: Page, place: int = 0) -> None:
    page.goto("/deliveries/?status=delivered")
    page.locator("table tbody a[href^='/deliveries/']").nth(place).click()
    page.wait_for_selector("#timeline")


def settled(page: Page) -> None:
    """Nobody types within the 20 ms that htmx needs to take a new form over."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def test_a_note_with_a_mention_is_written_changed_deleted_and_taken_back_by_keyboard(
    page_of: Callable[..., Page],
) -> None:
    page = page_of("operator", allowed="status of 400")
    open_delivery(page)
    page.keyboard.press("n")
    expect(page.locator("#note-text")).to_be_focused()
    page.keyboard.type("Please ring first, @ad")
    expect(page.locator("#mentions [role=option]").first).to_contain_text("admin")
    page.keyboard.press("Escape")
    expect(page.locator("#mentions")).to_have_count(0)
    expect(page.locator("#note-text")).to_be_focused()
    page.keyboard.type("m")
    expect(page.locator("#note-text")).to_have_attribute("aria-activedescendant", "mention-0")
    page.keyboard.press("Enter")
    expect(page.locator("#note-text")).to_have_value("Please ring first, @admin ")
    page.keyboard.press("Control+Enter")
    note = page.locator("[data-kind=note]", has_text="Please ring first").first
    expect(note.locator(".mention")).to_have_text("@admin")
    expect(page.locator("#note-text")).to_have_value("")

    settled(page)
    expect(page.locator("#note-text")).to_be_focused()
    page.keyboard.type("For @nobody-at-all")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#note-problem")).to_have_text("There is nobody called @nobody-at-all.")
    expect(page.locator("#note-text")).to_have_value("For @nobody-at-all")
    expect(page.locator("#note-text")).to_be_focused()

    settled(page)
    note.get_by_role("link", name="Edit").press("Enter")
    expect(page.locator("#note-edit-text")).to_be_focused()
    settled(page)
    page.keyboard.type(" and wait")
    page.keyboard.press("Control+Enter")
    expect(note).to_contain_text("edited")
    settled(page)
    note_id = note.get_attribute("id")
    note.get_by_role("button", name="Delete").press("Enter")
    stub = page.locator(f"#{note_id}")
    expect(stub).to_contain_text("You deleted this note.")
    settled(page)
    stub.get_by_role("button", name="Undo").press("Enter")
    expect(stub).to_contain_text("Please ring first, @admin and wait")

    other = page_of("admin")
    other.goto("/")
    expect(other.locator("[data-unread]")).to_be_visible()
    other.goto("/notifications/?unread=1")
    other.get_by_role("link", name="operator mentioned you").first.click()
    other.wait_for_url("**/deliveries/*/?show=note#note-*")


def test_chips_filter_in_place_and_back_leads_back(page_of: Callable[..., Page]) -> None:
    page = page_of("viewer", width=390)
    open_delivery(page, 1)
    expect(page.locator("#note-text")).to_have_count(0)
    page.locator("#show-event").click()
    page.wait_for_url("**?show=event*")
    expect(page.locator("#show-event")).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-kind=message]")).to_have_count(0)
    expect(page.locator("[data-kind=event]").first).to_be_visible()
    page.go_back()
    expect(page.locator("[data-kind=message]").first).to_be_visible()
