"""What the page of one bill shows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.formats import duration_ms_text
from costs.billed import SAMPLE_DOOR
from costs.choices import BILL_TONES, BillState
from costs.imports.undoing import why_not
from costs.models import CostImport

OPEN = (BillState.LOOKING, BillState.QUEUED, BillState.RUNNING)
KINDS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BlendedCost")
SHOWN_SERVICES = 100


def bill_context(made: CostImport) -> dict[str, Any]:
    """The part that is fetched again until the bill is taken, failed, or waits for a yes."""
    open_ = made.state in OPEN
    return {
        "made": made,
        "sample": made.door == SAMPLE_DOOR,
        "tone": BILL_TONES[BillState(made.state)],
        "watched": open_,
        "asks": made.state == BillState.WAITING,
        "failed": made.state == BillState.FAILED,
        "counts": made.state == BillState.DONE,
        "undo_problem": why_not(made) if made.state == BillState.DONE else "",
        "elapsed": _elapsed(made),
        "currencies": [_currency(made, currency) for currency in made.totals],
        "changes": [_change(change) for change in made.changes],
        "periods": list(made.periods.all()[:50]) if made.state == BillState.DONE else [],
        "said": "" if open_ else _("Bill: %s") % made.get_state_display(),
    }


def sums_of(made: CostImport) -> list[tuple[str, Decimal]]:
    """BilledCost by currency."""
    return [(currency, Decimal(sums["BilledCost"])) for currency, sums in made.totals.items() if "BilledCost" in sums]


def _currency(made: CostImport, currency: str) -> dict[str, Any]:
    sums, services = made.totals[currency], made.by_service.get(currency, {})
    ranked = sorted(((name, Decimal(value)) for name, value in services.items()), key=lambda pair: (-pair[1], pair[0]))
    total = Decimal(sums.get("BilledCost", "0"))
    return {
        "name": currency,
        "sums": [(kind, Decimal(sums[kind])) for kind in KINDS if kind in sums],
        "services": [(name or _("(none)"), cost, float(cost / total) if total else None)
                     for name, cost in ranked[:SHOWN_SERVICES]],
        "more": max(0, len(ranked) - SHOWN_SERVICES),
    }  # fmt: skip


def _change(change: dict[str, Any]) -> dict[str, Any]:
    before = change["before"]
    services = [
        {"name": line["name"], "before": Decimal(line["before"]), "after": Decimal(line["after"])}
        for line in change["services"]
    ]
    numbers = {"before": None if before is None else Decimal(before), "after": Decimal(change["after"])}
    same = before is not None and Decimal(change["difference"]) == 0
    return change | numbers | {"difference": Decimal(change["difference"]), "services": services, "same": same}


def _elapsed(made: CostImport) -> str:
    if made.started is None:
        return ""
    end = made.finished or timezone.now()
    return duration_ms_text(max(0.0, (end - made.started).total_seconds()) * 1000)
