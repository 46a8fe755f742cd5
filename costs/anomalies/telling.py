"""Telling people and tools of new anomalies. What cost less than usual is on the page, and nobody is woken for it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.money import format_money
from core.notices import tell
from core.notices.choices import Severity
from core.notices.telling import people_wanting
from core.webhooks import emit
from costs.anomalies.choices import Part
from costs.models import CostAnomaly
from costs.told import ANOMALY, administrators
from costs.webhooks import ANOMALY_FOUND

SHOWN = 10


def tell_of(found: Sequence[CostAnomaly]) -> None:
    """One message for all that one look found, the dearest first. Call it in the transaction in which they were kept."""
    rises = sorted((row for row in found if row.delta > 0), key=lambda row: -row.delta)
    if not rises:
        return
    people = {user.pk: user for user in [*administrators(), *people_wanting(ANOMALY)]}
    tell(
        people.values(), topic=ANOMALY, severity=Severity.WARNING, subject=_subject(rises),
        text="\n\n".join(words_of(row) for row in rises[:SHOWN]), url=_address(rises), key=f"anomaly:{rises[0].pk}",
    )  # fmt: skip
    emit(ANOMALY_FOUND, [event_of(row) for row in rises])


def name_of(row: CostAnomaly) -> str:
    return row.function.name if row.function else row.service


def _subject(rises: Sequence[CostAnomaly]) -> str:
    first = rises[0]
    words = {
        "name": name_of(first), "delta": format_money(first.delta, first.currency, estimate=first.basis == "estimated"),
        "day": first.day, "n": len(rises) - 1,
    }  # fmt: skip
    alone = _("%(name)s cost %(delta)s more than usual on %(day)s") % words
    if len(rises) == 1:
        return alone
    return alone + ngettext(", and %(n)d more", ", and %(n)d more", len(rises) - 1) % words


def words_of(row: CostAnomaly) -> str:
    """One anomaly in a mail: how much, and what it consists of."""

    def money(amount: Decimal) -> str:
        return format_money(amount, row.currency, estimate=row.basis == "estimated")

    words = {"name": name_of(row), "day": row.day, "actual": money(row.actual), "expected": money(row.expected)}
    lines = [_("%(name)s, %(day)s: %(actual)s instead of %(expected)s") % words]
    lines += [f"  {label}: {money(amount)}" for label, amount in parts_of(row)]
    if row.sample:
        lines.append(_("  This is sample data."))
    if row.revision:
        lines.append(_("  It was changed then: %(what)s") % {"what": ", ".join(sorted(row.revision.changes))})
    return "\n".join(lines)


def parts_of(row: CostAnomaly) -> list[tuple[str, Decimal]]:
    """(label, exact amount) of each part; they add up to the difference."""
    labels = {str(value): str(label) for value, label in Part.choices}
    return [(labels.get(part["name"], part["name"]), Decimal(part["amount"])) for part in row.parts]


def _address(rises: Sequence[CostAnomaly]) -> str:
    if len(rises) == 1:
        return reverse("cost-anomaly", args=[rises[0].pk])
    return reverse("cost-anomalies")


def event_of(row: CostAnomaly) -> dict[str, Any]:
    """What tools are told: amounts as exact decimals in text."""
    return {
        "id": row.pk, "day": row.day, "basis": row.basis, "function": row.function.name if row.function else None,
        "function_id": row.function_id, "service": row.service or None, "currency": row.currency,
        "actual": f"{row.actual:f}", "expected": f"{row.expected:f}", "delta": f"{row.delta:f}", "parts": row.parts,
        "revision": row.revision_id,
    }  # fmt: skip
