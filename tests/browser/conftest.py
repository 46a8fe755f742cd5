"""One whole platform for all browser tests, one Chromium, and people signed in to it.

The platform is started in a folder of its own by `python -m embedded up`, with sample data. PLATFORM_URL with
PLATFORM_LOGINS (its logins.json) use a running one instead, for work on the tests themselves.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.pages import chromium, log_in, watch

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "build" / "test" / "axe.min.js"
PATIENCE_S = 300
_OF_THE_TEST_RUN = ("DASH_VAR", "DATABASE_URL", "VALKEY_URL", "SAMPLE_DATA", "ALLOWED_HOSTS", "DEBUG")


@dataclass(frozen=True)
class Platform:
    url: str
    passwords: dict[str, str]
    """By role."""

    names: dict[str, str]
    """User names by role."""


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if running := os.environ.get("PLATFORM_URL"):
        yield _platform(running, Path(os.environ["PLATFORM_LOGINS"]))
        return
    var = tmp_path_factory.mktemp("platform")
    process = _start(var)
    try:
        yield _platform(_url_of(process, var), var / "logins.json")
    finally:
        assert process.stdin is not None
        process.stdin.close()  # which is what it stops at
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _start(var: Path) -> subprocess.Popen[str]:
    """With its own addresses and keys, not those of the test run."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_TEST_RUN}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    command = [sys.executable, "-m", "embedded", "up", "--port", "0", "--ready-json", "--until-eof", "--var", str(var)]
    with (var / "up.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(  # noqa: S603  # our own platform
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment
        )


def _url_of(process: subprocess.Popen[str], var: Path) -> str:
    assert process.stdout is not None
    ready, _write, _error = select.select([process.stdout], [], [], PATIENCE_S)
    line = process.stdout.readline() if ready else ""
    if not line:
        said = (var / "up.log").read_text(encoding="utf-8")[-2000:]
        pytest.fail(f"The platform did not come up (it has {PATIENCE_S} s):\n{said}", pytrace=False)
    return str(json.loads(line)["url"]).rstrip("/")


def _platform(url: str, logins: Path) -> Platform:
    found = json.loads(logins.read_text(encoding="utf-8"))
    return Platform(
        url.rstrip("/"),
        passwords={login["role"]: login["password"] for login in found},
        names={login["role"]: login["username"] for login in found},
    )


# Ends with this folder: while Playwright's loop is alive, Django refuses database access in this thread.
@pytest.fixture(scope="package")
def one_chromium() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.fixture
def page_of(platform: Platform, one_chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`page_of("operator", width=390)`: a signed-in page. Any console error or breach of the policy fails the test.

    `allowed` is a part of the one error that the test provokes, such as "status of 400".
    """
    contexts: list[BrowserContext] = []
    problems: list[tuple[list[str], str]] = []

    def signed_in(
        role: str, width: int = 1280, theme: str = "light", init_script: Path | None = None, allowed: str = "\0"
    ) -> Page:
        context = one_chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]  # a literal
            base_url=platform.url,
        )
        contexts.append(context)
        if init_script:
            context.add_init_script(path=init_script)
        page = context.new_page()
        page.set_default_timeout(20_000)
        problems.append((watch(page), allowed))
        log_in(page, platform.url, platform.names[role], platform.passwords[role])
        return page

    yield signed_in
    for context in contexts:
        context.close()
    seen = sorted({problem for found, allowed in problems for problem in found if allowed not in problem})
    assert not seen, "The browser reported:\n" + "\n".join(seen)


@pytest.fixture
def axe_script() -> Path:
    if not AXE.exists():
        pytest.skip("axe-core is missing: `make setup` fetches it")
    return AXE
