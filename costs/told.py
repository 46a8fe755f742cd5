"""What this app tells people and tools of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.notices import Kind, register_kind
from core.notices.choices import Channel

BUDGET, ANOMALY, REPORT, REST = "budget", "cost_anomaly", "cost_report", "cost_rest"
BOTH = (Channel.INBOX, Channel.EMAIL)
register_kind(BUDGET, Kind(_("budget"), "coin", "yellow", BOTH, _("a threshold of a budget is passed, or will be")))
register_kind(
    ANOMALY, Kind(_("cost anomaly"), "alert", "red", BOTH, _("a day cost far more than usual, with what changed"))
)
register_kind(REPORT, Kind(_("monthly cost report"), "coin", "blue", BOTH, _("the PDF of the past month, on the 1st")))
register_kind(
    REST, Kind(_("unexplained cost"), "coin", "yellow", BOTH, _("more of a month's bill than before is not explained"))
)


def administrators() -> list[Any]:
    """Active people who may configure."""
    may = Q(groups__permissions__codename="administer") | Q(is_superuser=True)
    return list(get_user_model().objects.filter(may, is_active=True).distinct())


def people_called(usernames: Sequence[str]) -> Iterable[Any]:
    """Those of these who are there; administrators when none is named, or none is left."""
    named = list(get_user_model().objects.filter(username__in=usernames, is_active=True)) if usernames else []
    return named or administrators()
