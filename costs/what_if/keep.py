"""What every function could be changed to, with the usual assumptions: what the list is sorted by. Made anew nightly."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from costs.alone import Work, alone
from costs.estimate import PriceBook
from costs.models import ServerType, WhatIf
from costs.what_if.answer import Answer, answer
from costs.what_if.assumptions import USUAL
from costs.what_if.use import uses_of, window
from services_registry.models import Function

AT_ONCE = 200


def refresh_what_ifs(now: datetime | None = None) -> int:
    """Reckon all functions anew; how many were called. The list never shows two moments."""
    moment = now or timezone.now()
    today = moment.astimezone(UTC).date()
    first, last = window(USUAL.days, today)
    functions = list(Function.objects.filter(gone=None).defer("raw", "tags", "layers", "environment_names"))
    book, kinds = PriceBook(), list(ServerType.objects.filter(offered=True))
    rows = []
    for start in range(0, len(functions), AT_ONCE):
        for use in uses_of(functions[start : start + AT_ONCE], first, last).values():
            answered = answer(use, USUAL, book, kinds, today)
            if answered.usd is not None:
                rows.append(_row(answered, moment))
    with alone(Work.WHAT_IFS):
        WhatIf.objects.all().delete()
        WhatIf.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _row(found: Answer, now: datetime) -> WhatIf:
    use, server, memory, arm = found.use, found.server, found.memory, found.arm
    return WhatIf(
        function=use.function, as_of=now, calls=use.calls, days=use.days, busy_share=use.busy_share, p95_ms=use.p95_ms,
        cold_share=use.cold_share, usd=found.usd, server=server.type.name if server else "",
        servers=server.count if server else 0, server_usd=server.usd if server else None,
        arm_usd=arm.usd + found.warm if arm and arm.architecture == "arm64" else None,
        memory_mb=memory.memory_mb if memory else None, memory_usd=memory.usd + found.warm if memory else None,
        way=found.way, gain=found.gain, sample=use.sample,
    )  # fmt: skip
