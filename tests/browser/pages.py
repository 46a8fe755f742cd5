"""Chromium for tests and screenshots: Debian's own, closed to the outside."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def launch_options() -> dict[str, Any]:
    """How Chromium is started.

    Raises:
        RuntimeError: there is none; the message says how to get it.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        raise RuntimeError("Chromium is missing: `make setup-test` installs it (apt-get install chromium).")
    return {"executable_path": path, "args": list(FLAGS)}


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        try:
            yield browser
        finally:
            browser.close()


def log_in(page: Page, url: str, username: str, password: str) -> None:
    page.goto(f"{url}/login/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda address: "/login" not in address)


def watch(page: Page) -> list[str]:
    """What must not happen while a person works: console errors, script errors, breaches of the content policy.

    Chromium reports a blocked inline script or style as a console error as well; the event names the directive.
    """
    problems: list[str] = []
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (event) =>"
        " console.error('content policy: ' + event.violatedDirective + ' ' + event.blockedURI))"
    )
    page.on("console", lambda said: problems.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    return problems


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))


def run_once(page: Page, url: str, function: str, payload: str) -> None:
    """Fill in the "Run it" form of a function; ends on the page of its batch, finished."""
    page.goto(f"{url}/functions/?q={function}")
    page.click(f"table tbody th a:text-is('{function}')")
    page.fill("textarea[name=payload]", payload)
    page.click("#run button.btn-primary")
    page.wait_for_url("**/batches/**")
    wait_for_batch(page)


def wait_for_batch(page: Page, seconds: int = 90) -> None:
    """Until the page shows the batch as final; nobody presses reload, the page polls."""
    page.wait_for_selector("#batch-live .progress-block[data-final]", timeout=seconds * 1000)
