"""Child process: moto's server on a free port of 127.0.0.1, without its request log. Prints the port, then serves.

Run as ``python -m embedded.aws.moto_server``. It is a process of its own so that its work (S3 bodies, log events)
never takes the interpreter lock away from an invocation.
"""

from __future__ import annotations

import http.client
import math
import os
import re
import sys
import threading
from typing import Any, SupportsFloat

from embedded.aws.upstream import authorization

SERVICES = ("iam", "lambda", "s3", "logs", "sqs", "monitoring")
"""Loaded before the server says it is ready: they are asked for at once, and the first load of one takes up to a
second.
"""
_PERCENTILE = re.compile(r"p\d{1,2}(\.\d+)?|p100")


def _load_services(port: int) -> None:
    for service in SERVICES:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("HEAD", "/", headers={"Authorization": authorization(service, "us-east-1")})
        connection.getresponse().read()
        connection.close()


def _add_percentiles() -> None:
    """Teach moto's GetMetricData the percentiles (p50, p99.9); without them it answers 500 (moto 5.2.5)."""
    from moto.cloudwatch import models

    class Statistics(models.Statistics):
        def get_statistics_for_type(self, stat: str) -> SupportsFloat | None:
            values = sorted(self.metric_single_values_list)
            if not _PERCENTILE.fullmatch(stat) or not values:
                return super().get_statistics_for_type(stat)
            rank = math.ceil(len(values) * float(stat[1:]) / 100)
            return values[min(max(rank, 1), len(values)) - 1]

    models.Statistics = Statistics  # type: ignore[misc]  # moto offers no hook


def main() -> None:
    """Serve until killed."""
    os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    _add_percentiles()

    class QuietHandler(MotoRequestHandler):  # type: ignore[misc]  # moto is not followed
        disable_nagle_algorithm = True
        wbufsize = -1

        def log(self, type: str, message: str, *args: Any) -> None:
            """One line per request is noise here; errors of moto reach stderr through its own traceback."""

    server = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=QuietHandler
    )
    serving = threading.Thread(target=server.serve_forever, name="moto", daemon=True)
    serving.start()
    _load_services(server.server_port)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    serving.join()


if __name__ == "__main__":
    main()
