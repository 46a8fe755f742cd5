"""Printing documents: our function against WeasyPrint alone on the same HTML, labels, and the memory of a long manifest.

CPU seconds of one process, warm; the two sides of a ratio take turns, and each counts its best round.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.results import Result, at_least, at_most
from shipments.functions.runtime.batch import Handler

WITHIN = 1.10
NOTES_A_SECOND = 10.0
LABELS_SHARE = 0.25
MANIFEST_MB = 1.35
"""Of the memory for 480 rows, what 1,920 rows may need."""
PARTY = {"street": "Calle del Almendro 14", "postcode": "28005", "city": "Madrid", "country": "ES"}


class _Clock:
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


def rendering(rounds: int) -> Iterator[Result]:
    """All ratios of printing."""
    from shipments.functions.render_pdf.handler import handler  # starts WeasyPrint: seconds

    ours, alone = _compare(rounds, lambda: _call(handler, "delivery_note", _notes(20)), _bare_notes(20))
    yield at_most(
        "a warm call, 20 notes, against WeasyPrint alone",
        ours / alone,
        WITHIN,
        n=20,
        ours_ms=ours * 50,
        alone_ms=alone * 50,
    )
    yield at_least("delivery notes a second and core", 20 / ours, NOTES_A_SECOND, n=20, ms=ours * 50)
    rows = [{"id": "m", "data": _manifest(480)}]
    ours, alone = _compare(max(4, rounds), lambda: _call(handler, "manifest", rows), _bare_manifest(480))
    yield at_most(
        "a manifest of 480 rows against WeasyPrint alone", ours / alone, WITHIN, n=480, ours_s=ours, alone_s=alone
    )
    small, large = _peak_mb(480), _peak_mb(1_920)
    yield at_most("memory: 1,920 rows against 480", large / small, MANIFEST_MB, n=1_920, mb_480=small, mb_1920=large)
    batch = [{"id": str(n), "data": _note(n)} for n in range(1_000)]
    single = _bare_labels(100)
    together, apart = _compare(2, lambda: _call(handler, "label", batch), single)
    yield at_most(
        "1,000 labels in one call against single renders", together / (apart * 10), LABELS_SHARE, n=1_000,
        batch_s=together, single_ms=apart * 10,
    )  # fmt: skip


def _compare(rounds: int, ours: Callable[[], object], alone: Callable[[], object]) -> tuple[float, float]:
    """Best CPU seconds of each."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds + 1):  # the first one warms up, and is hardly ever the best
        for side, work in enumerate((ours, alone)):
            started = time.process_time()
            work()
            best[side] = min(best[side], time.process_time() - started)
    return best[0], best[1]


def _call(handler: Handler, document_type: str, items: list[dict[str, Any]]) -> None:
    event = {"version": 1, "batch": "b", "chunk": "c", "context": {"document_type": document_type}, "items": items,
             "results": {"inline_limit": 1 << 30}}  # fmt: skip
    answer = handler(event, _Clock())
    failed = [entry for entry in answer["results"] if not entry["ok"]]
    if failed or answer["unfinished"]:
        raise RuntimeError(f"not printed: {failed[:1]} {answer['unfinished'][:3]}")


def _note(number: int) -> dict[str, Any]:
    parcels = [{"number": "1", "weight_kg": "2.50", "description": "spare parts"} for _ in range(1)]
    return {"tracking_number": f"BN{number:010d}ES", "carrier": "Nordpaket", "reference": f"PO-{number}", "parcels": parcels,
            "sender": {"name": "Almacén Central", **PARTY}, "recipient": {"name": f"Cliente {number}", **PARTY},
            "created": "2026-11-20", "promised": "2026-11-23", "notes": "Please ring twice."}  # fmt: skip


def _notes(count: int) -> list[dict[str, Any]]:
    """Twelve parcels each."""
    more = [{"number": str(n), "weight_kg": f"{n}.25", "description": f"Carton {n}"} for n in range(12)]
    return [{"id": str(n), "data": _note(n) | {"parcels": more}} for n in range(count)]


def _manifest(rows: int) -> dict[str, Any]:
    listed = [{"tracking_number": f"BN{n:010d}ES", "reference": f"PO-{n}", "parcels": 2, "weight_kg": "3.50",
               "recipient": {"name": f"Cliente {n}", **PARTY}} for n in range(rows)]  # fmt: skip
    return {"number": "M-1", "carrier": "Nordpaket", "created": "2026-11-24", "sender": PARTY, "rows": listed}


def _bare_notes(count: int) -> Callable[[], object]:
    return _bare([("delivery_note", item["data"]) for item in _notes(count)])


def _bare_manifest(rows: int) -> Callable[[], object]:
    return _bare([("manifest", _manifest(rows))])


def _bare_labels(count: int) -> Callable[[], object]:
    return _bare([("label", _note(n)) for n in range(count)])


def _bare(wanted: list[tuple[str, dict[str, Any]]]) -> Callable[[], object]:
    """WeasyPrint alone: HTML that is ready, style sheets that are parsed, fonts that are known."""
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    from shipments.functions.render_pdf import documents
    from shipments.functions.render_pdf.kinds import kind_of
    from shipments.functions.render_pdf.language import locale_for

    pages = []
    for name, data in wanted:
        kind = kind_of(name)
        variables = documents.variables_of(kind, data, locale_for("en"), None)
        pages += [(html, kind) for html in documents.built_in_html(kind, variables)]
    fonts = FontConfiguration()

    def work() -> None:
        for html, kind in pages:
            HTML(string=html).write_pdf(stylesheets=documents.styles_of(kind), font_config=fonts, **dict(kind.pdf))

    return work


def _peak_mb(rows: int) -> float:
    """The highest resident memory of a process of its own that prints one manifest."""
    code = f"from bench import rendering; rendering.print_manifest({rows})"
    root = Path(__file__).parent.parent
    done = subprocess.run(  # noqa: S603  # our own arguments
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=300, check=True
    )
    return float(done.stdout.splitlines()[-1])


def print_manifest(rows: int) -> None:
    """For a process of its own: print one, then say the highest memory in MB."""
    from shipments.functions.render_pdf.documents import render_document

    render_document("manifest", _manifest(rows))
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}\n")
