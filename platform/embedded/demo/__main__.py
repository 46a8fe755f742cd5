"""`python -m embedded.demo [INPUT]`: start a platform of its own, do the main job, print one JSON line, stop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from embedded.demo import inputs, job
from embedded.demo.client import Client, DemoError
from embedded.stack import ROOT

START_PATIENCE_S = 300
REFUSED = ROOT / "build" / "demo-refused.ndjson"


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]).resolve() if arguments and arguments[0] else None
    if folder and not folder.is_dir():
        _say(f"INPUT names {folder}, which is not a folder.")
        return 2
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sp-demo-") as var:
        process = _start(Path(var), folder)
        try:
            facts = _job(process, Path(var), folder)
        except DemoError as error:
            _say(f"\nThe demo failed: {error}")
            _say_logs(Path(var))
            return 1
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(60)
    facts["seconds"] = round(time.monotonic() - begin, 1)
    print(json.dumps(facts), flush=True)  # noqa: T201  # the answer
    return 0


def _start(var: Path, folder: Path | None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "embedded", "up", "--var", str(var), "--port", "0", "--ready-json", "--until-eof"]
    if folder and (folder / "documents" / "pdf").is_dir():
        command += ["--extra-files", str(folder / "documents" / "pdf")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)  # noqa: S603  # our own


def _job(process: subprocess.Popen[str], var: Path, folder: Path | None) -> dict[str, Any]:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise DemoError("the platform did not start; it says why above")
    ready = json.loads(line)

    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    client = Client(ready["url"], {**os.environ, **ready["env"], "PYTHONPATH": path})
    client.key, _ = client.command("create_token", "demo", "--user", "operator")
    _say("Platform ready; the main job begins.")
    facts = job.run(client, var)
    if folder:
        _say("Real inputs ...")
        REFUSED.parent.mkdir(exist_ok=True)
        facts["inputs"] = inputs.run(client, folder, REFUSED)
        _say(f"Refused inputs and their reasons: {REFUSED.relative_to(ROOT)}")
    return facts


def _say_logs(var: Path) -> None:
    for log in sorted((var / "log").glob("*.log")):
        tail = log.read_text(errors="replace").splitlines()[-15:]
        _say(f"--- {log.name}\n" + "\n".join(tail))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  # progress for the person


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
