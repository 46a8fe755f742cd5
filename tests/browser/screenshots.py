"""Screenshots of every page in four variants: 1280 and 390 pixels wide, light and dark.

    python -m tests.browser.screenshots --url http://127.0.0.1:8000 --logins var/logins.json --out build/screenshots

Prints the pages on which the browser reported an error or the page scrolls sideways.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.pages import chromium, log_in

TRIED_RULE = "document_type=proof_of_delivery&obtain=fetch&from_status=delivered&due_hours=24&due_after=delivered"
PAGES = {
    "home": "/", "deliveries": "/deliveries/", "deliveries-empty": "/deliveries/?q=nothing-like-this",
    "upload": "/deliveries/upload/", "documents": "/documents/", "messages": "/messages/", "batches": "/batches/",
    "functions": "/functions/", "costs": "/costs/", "cost-rows": "/costs/rows/", "budgets": "/costs/budgets/",
    "budget-new": "/costs/budgets/new/", "anomalies": "/costs/anomalies/", "cost-reports": "/costs/reports/",
    "notice-choices": "/account/notifications/", "what-ifs": "/costs/what-if/",
    "unit-costs": "/costs/deliveries/", "unit-costs-weeks": "/costs/deliveries/?range=90d&step=week&by=kind",
    "bills": "/costs/imports/", "bill-upload": "/costs/imports/new/",
    "search": "/search/?q=DEMO", "account": "/account/",
    "changes": "/functions/changes/", "findings": "/functions/findings/", "findings-none": "/functions/findings/?state=closed",
    "syncs": "/functions/syncs/", "schedules": "/batches/schedules/",
    "layers": "/functions/layers/", "layers-none": "/functions/layers/?q=nothing", "sizes": "/functions/sizes/",
    "codes": "/deliveries/codes/", "imports": "/deliveries/imports/", "document-grid": "/documents/?layout=grid",
    "document-search": "/documents/?q=delivery", "document-upload": "/documents/upload/",
    "document-review": "/documents/review/", "document-quarantine": "/documents/?state=quarantined",
    "notifications": "/notifications/", "templates": "/templates/", "not-found": "/deliveries/999999999/",
    "telemetry": "/functions/telemetry/", "fleet": "/functions/fleet/", "webhooks": "/webhooks/", "webhook-new": "/webhooks/new/",
    "connections": "/connections/", "connection-try": "/connections/1/try/",
    "board": "/documents/board/", "rules": "/documents/rules/", "rule-new": "/documents/rules/new/",
    "board-empty": "/documents/board/?q=nothing-like-this", "board-waived": "/documents/board/?state=waived",
    "ec2-other": "/costs/ec2-other/", "ec2-other-rows": "/costs/ec2-other/rows/?kind=nat_bytes",
    "reconciliation": "/costs/reconciliation/",
    "document-rules": "/documents/board/rules/",
    "document-rule-tried": f"/documents/board/rules/new/?{TRIED_RULE}&valid_from=2026-11-01",
}  # fmt: skip
# Pages behind the first row of a list: list page, selector of the link.
FIRST_OF = {
    "delivery": ("/deliveries/", "table tbody a[href^='/deliveries/']"),
    "document": ("/documents/?state=stored", "table tbody th a[href^='/documents/']"),
    "document-bad": ("/documents/?state=quarantined", "table tbody th a[href^='/documents/']"),
    "batch": ("/batches/", "table tbody a[href^='/batches/']"),
    "connection": ("/connections/", "table tbody a[href^='/connections/']"),
    "schedule": ("/batches/schedules/", "table tbody a[href^='/batches/schedules/']"),
    "finding": ("/functions/findings/", "table tbody a[href^='/functions/findings/']"),
    "finding-busy": ("/functions/findings/?rule=busy-all-day", "table tbody a[href^='/functions/findings/']"),
    "finding-size": ("/functions/findings/?rule=package-size", "table tbody a[href^='/functions/findings/']"),
    "finding-setting": ("/functions/findings/?rule=timeout-setting", "table tbody a[href^='/functions/findings/']"),
    "layer": ("/functions/layers/?q=pdf", "table tbody th a[href^='/functions/layers/']"),
    "budget": ("/costs/budgets/", "table tbody a[href^='/costs/budgets/']"),
    "anomaly": ("/costs/anomalies/", "table tbody a[href^='/costs/anomalies/']"),
    "cost-days": ("/costs/rows/", "table tbody a[href^='/costs/rows/']"),
    "reconciliation-one": ("/costs/reconciliation/", "table tbody a[href^='/costs/reconciliation/']"),
    "function": ("/functions/", "table tbody a[href^='/functions/']"),
    "what-if": ("/costs/what-if/", "table tbody a[href^='/costs/functions/']"),
}
WIDTHS = {"wide": (1280, 900), "narrow": (390, 844)}


def shoot(browser: Browser, url: str, login: dict[str, str], out: Path, wanted: set[str]) -> list[str]:
    """Take the screenshots; returns the problems seen."""
    problems: list[str] = []
    for width, (pixels, height) in WIDTHS.items():
        for theme in ("light", "dark"):
            context = browser.new_context(viewport={"width": pixels, "height": height}, color_scheme=theme)
            page = context.new_page()
            page.on("console", lambda message: problems.extend(_error_of(message)))
            log_in(page, url, login["username"], login["password"])
            found = addresses(page, url)
            problems.extend(f"{name}: no row of its list leads there" for name in FIRST_OF if name not in found)
            for name, address in found.items():
                if wanted and name not in wanted:
                    continue
                page.goto(url + address)
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(400)  # charts draw after the network is quiet
                if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
                    problems.append(f"{name} {width} {theme}: scrolls sideways")
                page.screenshot(path=out / f"{name}-{width}-{theme}.png", full_page=True)
            context.close()
    return problems


def _error_of(message: ConsoleMessage) -> list[str]:
    """The error in a console message, except that the page which is not there was not there."""
    source = str(message.location["url"])
    return [] if message.type != "error" or PAGES["not-found"] in source else [f"{source}: {message.text}"]


def addresses(page: Page, url: str) -> dict[str, str]:
    """Every page by name; those behind a list only when the list has a row."""
    found = dict(PAGES)
    for name, (address, selector) in FIRST_OF.items():
        page.goto(url + address)
        link = page.query_selector(selector)
        if link:
            found[name] = link.get_attribute("href") or address
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--logins", type=Path, required=True)
    parser.add_argument("--role", default="admin")
    parser.add_argument("--out", type=Path, default=Path("build/screenshots"))
    parser.add_argument("pages", nargs="*")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    login = next(entry for entry in json.loads(options.logins.read_text()) if entry["role"] == options.role)
    with chromium() as browser:
        problems = shoot(browser, options.url, login, options.out, set(options.pages))
    for problem in sorted(set(problems)):
        print(problem)  # noqa: T201  # the answer
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
