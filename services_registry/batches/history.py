"""What earlier work took: the experience that a plan predicts from.

Chunks of the same function and capability come first, since they say how long one item takes. Where there are none, the
registry's telemetry of the function says how long one invocation takes, whatever it held. Where there is neither,
nothing is known and nothing is predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from services_registry.choices import ChunkState, Origin, Outcome
from services_registry.models import Function, FunctionDay
from services_registry.telemetry.histogram import merge, percentile

CHUNKS, TELEMETRY, NOTHING = "chunks", "telemetry", "none"
ITEM, INVOCATION = "item", "invocation"
RECENT_BATCHES = 20
CHUNKS_OF_EACH = 20
TELEMETRY_DAYS = 14

# The newest chunks of each of the newest batches: a large batch must neither hide the others nor be read in full, which
# only a lateral join does by index (batch_by_function, then chunk_finished). A chunk that timed out counts: it says
# "at least so long".
_RECENT = """
    SELECT c.duration_ms, c.billed_ms, c.billed_invocations, c.init_ms,
           CASE WHEN c.items_succeeded + c.items_failed > 0 AND c.outcome <> %(timed_out)s
                THEN c.items_succeeded + c.items_failed ELSE c.items_total END
    FROM (SELECT id FROM services_registry_batch
          WHERE function_name = %(function)s AND region = %(region)s AND capability = %(capability)s
          ORDER BY created DESC LIMIT %(batches)s) b
    CROSS JOIN LATERAL (
          SELECT * FROM services_registry_chunk
          WHERE batch_id = b.id AND finished IS NOT NULL AND duration_ms IS NOT NULL
                AND (state = %(done)s OR outcome = %(timed_out)s)
          ORDER BY finished DESC LIMIT %(chunks)s) c
"""


@dataclass(frozen=True, slots=True)
class History:
    """Milliseconds per item, or per invocation where that is all that is known; None: not known.

    `mean_ms` is for sums (a median times a count is no total); `billed_ms` is what AWS charged for, INIT included.
    """

    source: str = NOTHING
    samples: int = 0
    per: str = ITEM
    p50_ms: float | None = None
    p95_ms: float | None = None
    mean_ms: float | None = None
    billed_ms: float | None = None
    init_ms: float | None = None
    sample: bool = False

    @property
    def known(self) -> bool:
        return self.p50_ms is not None

    def of_chunk(self, per_unit_ms: float | None, items: int) -> float | None:
        """What a chunk of so many items takes in ms."""
        if per_unit_ms is None:
            return None
        return per_unit_ms * items if self.per == ITEM else per_unit_ms

    def __str__(self) -> str:
        """The basis of the prediction, in words."""
        if self.source == CHUNKS:
            text = ngettext("%(n)d earlier chunk", "%(n)d earlier chunks", self.samples)
            return text % {"n": self.samples}
        if self.source == NOTHING:
            return _("not known yet: this has not run before")
        text = _("%(n)s invocations of the last %(days)d days") if not self.sample else _("%(n)s sample invocations")
        words = text % {"n": f"{self.samples:,}", "days": TELEMETRY_DAYS}
        return words if self.per == ITEM else _("%(basis)s, however many items they held") % {"basis": words}


def history_of(
    function_name: str, region: str, capability: str, row: Function | None, *, plain: bool = False
) -> History:
    """The best experience there is. `plain`: one payload is one invocation, so telemetry speaks about items too."""
    if plain and row and (telemetry := _from_telemetry(row, ITEM)).known:
        return telemetry
    chunks = _from_chunks(function_name, region, capability)
    if chunks.known or row is None or plain:
        return chunks
    return _from_telemetry(row, INVOCATION)


def _from_chunks(function_name: str, region: str, capability: str) -> History:
    with connection.cursor() as cursor:
        cursor.execute(
            _RECENT,
            {
                "function": function_name, "region": region, "capability": capability, "batches": RECENT_BATCHES,
                "chunks": CHUNKS_OF_EACH, "done": ChunkState.DONE, "timed_out": Outcome.TIMED_OUT,
            },
        )  # fmt: skip
        rows = [row for row in cursor.fetchall() if row[4]]
    if not rows:
        return History()
    items = sum(row[4] for row in rows)
    each = sorted((row[0] / row[4], row[4]) for row in rows)
    inits = [row[3] for row in rows if row[3]]
    return History(
        source=CHUNKS,
        samples=len(rows),
        p50_ms=_weighted(each, 0.5),
        p95_ms=_weighted(each, 0.95),
        mean_ms=sum(row[0] for row in rows) / items,
        billed_ms=_billed_per_item(rows),
        init_ms=sum(inits) / len(inits) if inits else None,
    )


def _weighted(each: Sequence[tuple[float, int]], share: float) -> float:
    """The value below which `share` of the items lie; a chunk counts as often as it has items."""
    rank = share * sum(items for _, items in each)
    seen = 0
    for value, items in each:
        seen += items
        if seen >= rank:
            return value
    return each[-1][0]


def _billed_per_item(rows: Sequence[Any]) -> float | None:
    """From one invocation each: a chunk sent twice is billed twice, which is no property of its items."""
    billed = [(row[1] / max(1, row[2]), row[4]) for row in rows if row[1] is not None]
    return sum(ms for ms, _ in billed) / sum(items for _, items in billed) if billed else None


def _from_telemetry(row: Function, per: str) -> History:
    """Sums and histograms of the last days. Made-up days count only for functions of the sample fleet."""
    first = timezone.now().date() - timedelta(days=TELEMETRY_DAYS)
    origins = [Origin.REPORTS, Origin.SAMPLE] if row.sample else [Origin.REPORTS]
    days = list(FunctionDay.objects.filter(function=row, day__gte=first, origin__in=origins))
    measured = [day for day in days if day.origin == Origin.REPORTS] or days
    invocations = sum(day.invocations for day in measured)
    if not invocations:
        return History()
    durations = merge(day.histogram for day in measured)
    cold = sum(day.cold_starts for day in measured)
    mean = sum(day.duration_ms for day in measured) / invocations
    return History(
        source=TELEMETRY,
        samples=invocations,
        per=per,
        p50_ms=percentile(durations, 0.5),
        p95_ms=percentile(durations, 0.95),
        mean_ms=mean,
        billed_ms=sum(day.billed_ms for day in measured) / invocations or mean,
        init_ms=sum(day.init_ms for day in measured) / cold if cold else None,
        sample=measured[0].origin == Origin.SAMPLE,
    )
