"""A tool that uses the product by its REST API and its command line, as any internal tool would."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embedded.stack import ROOT

BATCH_PATIENCE_S = 900


class DemoError(Exception):
    """A part of the job did not happen; the message says which."""


class Client:
    """`url` of the running platform, an API key, and the environment of its command line."""

    def __init__(self, url: str, env: dict[str, str]) -> None:
        self.url = url
        self.env = env
        self.key = ""

    def command(self, *arguments: str) -> tuple[str, list[str]]:
        """Run `manage.py`; returns standard output and the lines of standard error."""
        done = subprocess.run(  # noqa: S603  # our own command line
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DemoError(f"manage.py {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout.strip(), done.stderr.splitlines()

    def json_command(self, *arguments: str) -> tuple[dict[str, Any], list[str]]:
        output, errors = self.command(*arguments)
        return json.loads(output.splitlines()[-1]), errors

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        tail = f"?{urllib.parse.urlencode(query)}" if query else ""
        answer: dict[str, Any] = json.loads(self._send("GET", f"{self.url}/api/v1/{path}{tail}"))
        return answer

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list, page after page."""
        answer = self.get(path, page_size=500, **query)
        while True:
            yield from answer["results"]
            if not answer.get("next"):
                return
            answer = json.loads(self._send("GET", answer["next"]))

    def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "text/csv" if isinstance(body, bytes) else "application/json"}
        answer: dict[str, Any] = json.loads(self._send("POST", f"{self.url}/api/v1/{path}", content, kind | headers))
        return answer

    def file(self, document_id: int) -> bytes:
        return self._send("GET", f"{self.url}/api/v1/documents/{document_id}/file/")

    def run(self, capability: str, selection: dict[str, Any]) -> dict[str, Any]:
        """Start a batch and wait for its end."""
        return self.wait(self.post("batches/", {"capability": capability, "selection": selection, "reason": "demo"}))

    def wait(self, batch: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + BATCH_PATIENCE_S
        while batch["state"] == "running":
            if time.monotonic() > deadline:
                raise DemoError(f"batch {batch['id']} did not end within {BATCH_PATIENCE_S} s: {batch}")
            time.sleep(0.5)
            batch = self.get(f"batches/{batch['id']}/")
        return batch

    def _send(self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310  # our own loopback address
            url, body, {"Authorization": f"Bearer {self.key}", **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310  # the same
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise DemoError(
                f"{method} {url} answered {error.code}: {error.read()[:600].decode(errors='replace')}"
            ) from error


def write_refused(path: Path, topic: str, lines: list[str]) -> None:
    """Append refused inputs with their reasons, one JSON object a line."""
    if not lines:
        return
    with path.open("a", encoding="utf-8") as target:
        for line in lines:
            try:
                reason = json.loads(line)
            except ValueError:
                reason = {"reason": line}
            target.write(json.dumps({"topic": topic, **reason}) + "\n")
