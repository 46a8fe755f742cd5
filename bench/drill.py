"""`make drill`: the Friday deploy that never finished, replayed with and without a stop; the last line is one JSON object.

A thousand calls at once, each of 15 minutes and 1,024 MB, all of which run into their time-out, from a Friday evening on
for 48 hours. What is real: the stack, the delivery of the log lines to our Firehose address, ingest, rules, the stop on
the local AWS and its 429, the price book. What is simulated: the clock, and that calls take 15 minutes.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

from bench.stack import private_stack

if TYPE_CHECKING:  # importing models needs the stack's settings
    from bench.runaway import Outcome


def main() -> int:
    began = time.monotonic()
    with private_stack():
        from bench import runaway

        logging.disable(logging.INFO)  # a line for each of 194 deliveries helps nobody
        stage = runaway.prepare()
        _say(
            f"1,000 calls at once of 15 minutes and 1,024 MB, from {stage.start:%A %Y-%m-%d %H:%M} UTC on, for 48 hours"
        )
        try:
            alone = runaway.replay(stage, runaway.ALONE, stopping=False)
            _tell("Nobody stops it", alone)
            stopped = runaway.replay(stage, runaway.STOPPED, stopping=True)
            _tell("Somebody stops it five minutes after it was found", stopped)
        except runaway.DrillError as error:
            _say(f"The drill failed: {error}")
            return 1
    _say(f"{time.monotonic() - began:.0f} s of our time")
    answer = {
        "detected_after_s": stopped.detected_s, "cost_with_stop_usd": float(stopped.usd),
        "cost_without_stop_usd": float(alone.usd),
    }  # fmt: skip
    _say(json.dumps(answer))
    return 0 if stopped.stopped_s is not None and stopped.refused and stopped.usd < alone.usd else 1


def _tell(title: str, outcome: Outcome) -> None:
    found = "never" if outcome.detected_s is None else f"after {outcome.detected_s} s"
    stopped = "never" if outcome.stopped_s is None else f"after {outcome.stopped_s} s"
    _say(
        f"{title}: found {found}, stopped {stopped}, {outcome.calls:,} calls, {outcome.refused} rounds refused; "
        f"{outcome.gb_seconds_usd:,.2f} USD of GB-seconds and {outcome.requests_usd:.4f} USD of requests"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
