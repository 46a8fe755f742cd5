"""``python -m embedded.aws --port P --data DIR``: start the local AWS, print one JSON line when it is ready, serve
until stopped.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from embedded.aws.options import Options
from embedded.aws.service import Service


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="embedded.aws", description="A local AWS that really runs Lambda functions.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder for unpacked code and temporary files")
    parser.add_argument(
        "--venv-python", default=sys.executable, help="Python that runs the functions (needs awslambdaric)"
    )
    parser.add_argument("--retry-scale", type=float, default=1.0, help="factor on every wait of asynchronous events")
    parser.add_argument("--idle-seconds", type=float, default=300.0, help="end an idle environment after this")
    parser.add_argument("--max-idle", type=int, default=16, help="idle environments kept in all")
    parser.add_argument("--account-limit", type=int, default=50, help="concurrent executions of the account")
    parser.add_argument("--init-seconds", type=float, default=10.0, help="limit of the init phase")
    given = parser.parse_args(arguments)
    return Options(
        data=given.data.resolve(),
        python=given.venv_python,
        port=given.port,
        retry_scale=given.retry_scale,
        idle_seconds=given.idle_seconds,
        max_idle=given.max_idle,
        account_limit=given.account_limit,
        init_seconds=given.init_seconds,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 after a stop, 1 when it could not start or lost its inner server."""
    options = _options(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        service = Service(options)
    except (OSError, RuntimeError) as problem:
        sys.stderr.write(f"The local AWS cannot start: {problem}\n")
        return 1
    service.start()
    sys.stdout.write(json.dumps({"endpoint": service.endpoint}) + "\n")
    sys.stdout.flush()
    while not stopped.wait(1.0):
        if not service.alive():
            sys.stderr.write("The inner server has ended; stopping.\n")
            service.stop()
            return 1
    service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
