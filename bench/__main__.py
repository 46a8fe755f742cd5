"""`python -m bench`: start a stack, run the benches in order, print a table, write bench/results.json.

SCALE=full takes the largest sizes. Exit status: 0 when every bound holds, 1 when one does not or a bench went wrong.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.results import Result, lines_of, write
from bench.stack import private_stack

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    began = time.monotonic()
    results: list[Result] = []
    with private_stack() as folder:
        for result in _all_of(folder, full=os.environ.get("SCALE") == "full"):
            results.append(result)
            _say(*lines_of(result))
    write(results, RESULTS)
    failed = sum(not result.holds for result in results)
    _say(f"{len(results)} ratios in {time.monotonic() - began:.0f} s; {failed} out of bounds")
    return 1 if failed else 0


def _all_of(folder: Path, *, full: bool) -> Iterator[Result]:
    # Only now: these modules need Django set up with the addresses of the stack.
    from bench import batches, deliveries, pages, setup, take_in
    from bench.processes import worker

    setup.publish_functions()
    actor = setup.make_operator()
    yield from batches.client_overhead(actor, 10_000, 9 if full else 5)
    yield from pages.starting(actor, 50_000)
    with worker("config", concurrency=batches.THREADS, log=folder / "worker.log") as engine:
        with worker("bench.peers", concurrency=batches.THREADS, log=folder / "peer.log") as peer:
            yield from batches.throughput(
                actor, engine, peer, count=100_000 if full else 10_000, peer_count=5_000 if full else 1_000
            )
        for cap in (8, 16):
            yield from batches.utilisation(actor, cap)
        yield from pages.viewing(actor, (1_000, 50_000))
    with worker("config", concurrency=batches.THREADS, log=folder / "worker-memory.log") as engine:
        yield from batches.memory(actor, engine, count=100_000)
    yield from deliveries.finding(actor, full=full)
    yield from take_in.upserting(9 if full else 5)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
