"""What the codes of reasons are called today."""

from __future__ import annotations

import time
from datetime import date
from functools import lru_cache

from django.db.models import Q, QuerySet
from django.utils import timezone

from shipments.models import Reason

KEPT_S = 60


def reasons_of(day: date) -> QuerySet[Reason]:
    """The reasons that hold on a day."""
    return Reason.objects.filter(Q(valid_until=None) | Q(valid_until__gt=day), valid_from__lte=day)


def reason_labels() -> dict[str, str]:
    """By code, as of today."""
    return dict(reasons_of(timezone.now().date()).values_list("code", "label"))


def reason_choices() -> list[tuple[str, str]]:
    """(code, label) in the order of the labels, for filters: read once in a minute, because every list has them."""
    return sorted(_kept(int(time.monotonic() // KEPT_S)).items(), key=lambda pair: pair[1])


def reason_label(code: str) -> str:
    """What a code is called, read once in a minute; the code itself where it has no name today."""
    return _kept(int(time.monotonic() // KEPT_S)).get(code, code)


@lru_cache(maxsize=1)
def _kept(minute: int) -> dict[str, str]:
    return reason_labels()


def forget_reasons() -> None:
    """Read them anew at once."""
    _kept.cache_clear()
