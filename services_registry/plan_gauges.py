"""The small pictures of a plan: how full a chunk is against its limits."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.aws.invoke import SYNC_PAYLOAD_LIMIT
from core.formats import bytes_text, duration_ms_text
from services_registry.batches.planned import Plan
from services_registry.batches.sizing import ASYNC_PAYLOAD_LIMIT, TIME_SHARE

HIGH_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Gauge:
    """A `<meter>`: all numbers are texts with a decimal point, whatever the person's locale."""

    label: str
    words: str
    value: str
    most: str
    low: str
    high: str


def gauges_of(plan: Plan) -> list[Gauge]:
    """Time against the time-out as far as it is known, and bytes against what one call takes."""
    gauges = []
    for label, seconds in (
        (_("Usual chunk (p50)"), plan.chunk_seconds),
        (_("Slow chunk (p95)"), plan.chunk_seconds_p95),
    ):
        if seconds is not None and plan.timeout_s:
            words = _("%(value)s of the %(limit)s time-out") % {
                "value": duration_ms_text(seconds * 1000), "limit": duration_ms_text(plan.timeout_s * 1000),
            }  # fmt: skip
            gauges.append(_gauge(label, words, seconds, plan.timeout_s))
    for label, limit in (
        (_("Bytes of a synchronous call (6 MB)"), SYNC_PAYLOAD_LIMIT),
        (_("Bytes of an asynchronous event (1 MB)"), ASYNC_PAYLOAD_LIMIT),
    ):
        words = f"{bytes_text(plan.largest_chunk_bytes)}, {plan.largest_chunk_bytes / limit * 100:.1f} %"
        gauges.append(_gauge(label, words, plan.largest_chunk_bytes, limit))
    return gauges


def _gauge(label: str, words: str, value: float, most: float) -> Gauge:
    shown = (min(value, most), most, TIME_SHARE * most, HIGH_SHARE * most)
    return Gauge(label, words, *(f"{number:.3f}" for number in shown))
