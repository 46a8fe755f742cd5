"""Our count of a function's day against CloudWatch's, over the same hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from services_registry.models import MetricPlace
from services_registry.telemetry.metrics.places import real_functions

AGAIN = timedelta(days=35)
"""Late lines come in for weeks: so far back days are compared anew every night."""

_COMPARE = """
WITH theirs AS (
    SELECT function_id, (hour AT TIME ZONE 'UTC')::date AS day, sum(invocations)::bigint AS invocations,
        sum(errors)::bigint AS errors, sum(throttles)::bigint AS throttles, sum(duration_ms) AS duration_ms,
        max(duration_max_ms) AS duration_max_ms, max(concurrency) AS concurrency
    FROM services_registry_metrichour
    WHERE function_id = ANY(%(functions)s) AND hour >= %(start)s AND hour < %(end)s
    GROUP BY 1, 2
), ours AS (
    SELECT function_id, (hour AT TIME ZONE 'UTC')::date AS day, sum(invocations)::bigint AS invocations,
        sum(errors)::bigint AS errors
    FROM services_registry_functionhour
    WHERE function_id = ANY(%(functions)s) AND hour >= %(start)s AND hour < %(end)s AND origin = 'reports'
    GROUP BY 1, 2
)
INSERT INTO services_registry_metricday AS row (
    function_id, day, invocations, errors, throttles, duration_ms, duration_max_ms, concurrency, ours, our_errors, until
)
SELECT function_id, day, coalesce(theirs.invocations, 0), coalesce(theirs.errors, 0), coalesce(theirs.throttles, 0),
    coalesce(theirs.duration_ms, 0), theirs.duration_max_ms, theirs.concurrency, ours.invocations, ours.errors,
    least(%(end)s, ((day + 1)::timestamp AT TIME ZONE 'UTC'))
FROM theirs FULL JOIN ours USING (function_id, day) ORDER BY function_id, day
ON CONFLICT (function_id, day) DO UPDATE SET
    invocations = excluded.invocations, errors = excluded.errors, throttles = excluded.throttles,
    duration_ms = excluded.duration_ms, duration_max_ms = excluded.duration_max_ms,
    concurrency = excluded.concurrency, ours = excluded.ours, our_errors = excluded.our_errors, until = excluded.until
"""


def compare_days(functions: Sequence[int], first: datetime, since: datetime, end: datetime) -> None:
    """Write down both counts of the days from that of `first` on; hours before `since` were never asked about."""
    start = max(first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0), since)
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE, {"functions": list(functions), "start": start, "end": end})


def compare_again() -> None:
    """Compare the last weeks anew, for lines that came in late. Asks AWS nothing."""
    for place in MetricPlace.objects.exclude(until=None).exclude(since=None):
        members = real_functions().filter(account=place.account, region=place.region)
        pks = list(members.order_by("pk").values_list("pk", flat=True))
        assert place.since is not None and place.until is not None  # noqa: S101  # see the query
        compare_days(pks, timezone.now() - AGAIN, place.since, place.until)
