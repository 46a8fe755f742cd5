"""`python -m bench`: start a stack, run the benches in order, print a table, write bench/results.json.

SCALE=full takes the largest sizes; ONLY=deliveries runs that part alone (parts: batches, bills, deliveries, documents, fetching,
registry, telemetry), and leaves bench/results.json as it is. Exit status: 0 when every bound holds, 1 when one does not or a bench
went wrong.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results import Result, lines_of, write
from bench.stack import private_stack

if TYPE_CHECKING:  # importing models needs the stack's settings
    from django.contrib.auth.models import User

PARTS = ("batches", "bills", "deliveries", "documents", "fetching", "registry", "telemetry")
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    began = time.monotonic()
    only = os.environ.get("ONLY", "")
    if only not in ("", *PARTS):
        _say(f"ONLY={only}: no such part. There are {', '.join(PARTS)}.")
        return 2
    results: list[Result] = []
    with private_stack() as folder:
        for result in _all_of(folder, [only] if only else PARTS, full=os.environ.get("SCALE") == "full"):
            results.append(result)
            _say(*lines_of(result))
    if not only:
        write(results, RESULTS)
    failed = sum(not result.holds for result in results)
    _say(f"{len(results)} ratios in {time.monotonic() - began:.0f} s; {failed} out of bounds")
    return 1 if failed else 0


def _all_of(folder: Path, parts: Sequence[str], *, full: bool) -> Iterator[Result]:
    # Only now: these modules need Django set up with the addresses of the stack.
    from bench import setup

    setup.publish_functions()
    actor = setup.make_operator()
    if "batches" in parts:
        yield from _batches(folder, actor, full=full)
    if "deliveries" in parts:
        from bench import deliveries, take_in

        yield from deliveries.finding(actor, full=full)
        yield from take_in.upserting(9 if full else 5)
    if "documents" in parts:
        from bench import documents, rendering

        yield from rendering.rendering(9 if full else 5)
        yield from documents.storing_and_taking(5 if full else 3)
    if "fetching" in parts:
        from bench import fetching

        yield from fetching.fetching(9 if full else 5)
    if "registry" in parts:
        from bench import registry

        yield from registry.registry(actor, full=full)
    if "bills" in parts:
        from bench import bills

        yield from bills.reading(folder, lines=1_000_000, rounds=5 if full else 3)
        yield from bills.asking()
    if "telemetry" in parts:
        from bench import telemetry

        yield from telemetry.reading(9 if full else 5)
        yield from telemetry.storing(5 if full else 3)
        yield from telemetry.a_million()


def _batches(folder: Path, actor: User, *, full: bool) -> Iterator[Result]:
    from bench import batches, pages
    from bench.processes import worker

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


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
