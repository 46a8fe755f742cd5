"""Quiet hours: from one time of day to another in the person's own zone, over midnight where the second is earlier."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, time, timedelta

from django.conf import settings

from core.models import Preference
from core.notices.choices import Severity


def zone_of(preference: Preference | None) -> zoneinfo.ZoneInfo:
    """Where a person is; the company's zone for one that does not exist."""
    for name in (preference.time_zone if preference else "", settings.DISPLAY_TIME_ZONE):
        try:
            if name:
                return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            continue
    return zoneinfo.ZoneInfo("UTC")


def quiet_until(preference: Preference | None, severity: str, now: datetime) -> datetime | None:
    """When the quiet hours end that hold this message back; None when it may go at once."""
    if preference is None or preference.quiet_from is None or preference.quiet_to is None:
        return None
    if severity == Severity.CRITICAL and preference.urgent_in_quiet:
        return None
    return _end(preference.quiet_from, preference.quiet_to, now.astimezone(zone_of(preference)))


def _end(first: time, last: time, here: datetime) -> datetime | None:
    clock, over_midnight = here.time().replace(tzinfo=None), last <= first
    inside = clock >= first or clock < last if over_midnight else first <= clock < last
    if not inside:
        return None
    day = here.date() + timedelta(days=over_midnight and clock >= first)
    # Made of wall clock time, so that a night with a change of the clocks ends when the clock says so.
    return datetime.combine(day, last, tzinfo=here.tzinfo).astimezone(UTC)
