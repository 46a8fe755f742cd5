"""What the codes of reasons are called today."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet
from django.utils import timezone

from shipments.models import Reason


def reasons_of(day: date) -> QuerySet[Reason]:
    """The reasons that hold on a day."""
    return Reason.objects.filter(Q(valid_until=None) | Q(valid_until__gt=day), valid_from__lte=day)


def reason_labels() -> dict[str, str]:
    """By code, as of today."""
    return dict(reasons_of(timezone.now().date()).values_list("code", "label"))
