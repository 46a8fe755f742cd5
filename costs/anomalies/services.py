"""What people and tools do to an anomaly."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from costs.anomalies.choices import AnomalyState
from costs.models import CostAnomaly


@transaction.atomic
def dismiss(anomaly: CostAnomaly, *, reason: str, actor: Any, source: str = "page") -> None:
    """It is explained. Raises RefusedError without a reason, or when it is not open."""
    reason = " ".join(reason.replace("\0", "").split())
    if not reason:
        words = _("Say why it is all right, for whoever looks at it next.")
        raise RefusedError(words, code="reason_needed", fields={"reason": [words]})
    rows = CostAnomaly.objects.filter(pk=anomaly.pk, state=AnomalyState.OPEN)
    if not rows.update(state=AnomalyState.DISMISSED, reason=reason[:300], closed_by_name=actor.get_username()):
        raise RefusedError(_("It is not open any more."), code="not_open")
    record(actor=actor, verb="anomaly.dismissed", target=anomaly, source=source, summary=str(anomaly), reason=reason)


@transaction.atomic
def reopen(anomaly: CostAnomaly, *, actor: Any, source: str = "page") -> None:
    """Take a dismissal back. Raises RefusedError when it was not dismissed."""
    rows = CostAnomaly.objects.filter(pk=anomaly.pk, state=AnomalyState.DISMISSED)
    if not rows.update(state=AnomalyState.OPEN, reason="", closed_by_name=""):
        raise RefusedError(_("It was not marked as explained."), code="not_dismissed")
    record(actor=actor, verb="anomaly.reopened", target=anomaly, source=source, summary=str(anomaly))
