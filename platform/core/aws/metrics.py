"""Reading Lambda's metrics from CloudWatch: what AWS itself counted, by function and period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.aws.clients import OWN, Access, management_client
from core.aws.errors import AwsRejected, AwsUnreachable

# (metric, statistic, field of Reading). CloudWatch counts each as one metric asked for.
ASKED = (
    ("Invocations", "Sum", "invocations"),
    ("Errors", "Sum", "errors"),
    ("Throttles", "Sum", "throttles"),
    ("Duration", "Sum", "duration_ms"),
    ("Duration", "Maximum", "duration_max_ms"),
    ("ConcurrentExecutions", "Maximum", "concurrency"),
)
MOST_QUERIES = 500
MOST_POINTS = 100_800
"""Of one answer (Amazon CloudWatch API reference, GetMetricData, read 2026-11-23)."""


@dataclass(slots=True)
class Reading:
    """One function in one period that begins at `at`. A count of which CloudWatch has no point is zero; a largest value
    of which it has none stays None. A period of which it has no point at all gives no reading."""

    name: str
    at: datetime
    invocations: int = 0
    errors: int = 0
    throttles: int = 0
    duration_ms: float = 0.0
    duration_max_ms: float | None = None
    concurrency: int | None = None


def read_metrics(
    names: Sequence[str], *, start: datetime, end: datetime, period_s: int, region: str = "", access: Access = OWN
) -> Iterator[Reading]:
    """Readings of these functions for periods in `[start, end)`; as few calls as AWS's limits allow.

    Raises:
        AwsError: AWS cannot be reached, refuses us, or could not read one of the metrics.
    """
    points = max(1, int((end - start).total_seconds()) // period_s)
    queries = max(len(ASKED), min(MOST_QUERIES, MOST_POINTS // points))
    together = queries // len(ASKED)
    for first in range(0, len(names), together):
        yield from _read(names[first : first + together], start, end, period_s, region, access)


def _read(
    names: Sequence[str], start: datetime, end: datetime, period_s: int, region: str, access: Access
) -> Iterator[Reading]:
    client = management_client("cloudwatch", region, access)
    arguments: dict[str, Any] = {
        "MetricDataQueries": [
            _query(f"f{n}_{place}", name, metric, statistic, period_s)
            for n, name in enumerate(names)
            for place, (metric, statistic, _field) in enumerate(ASKED)
        ],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    found: dict[tuple[int, datetime], Reading] = {}
    while True:
        answer = client.get_metric_data(**arguments)
        for result in answer.get("MetricDataResults", []):
            _sort_in(result, names, found)
        if not answer.get("NextToken"):
            break
        arguments["NextToken"] = answer["NextToken"]
    yield from found.values()


def _query(name: str, function: str, metric: str, statistic: str, period_s: int) -> dict[str, Any]:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    asked = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": period_s, "Stat": statistic}}


def _sort_in(result: dict[str, Any], names: Sequence[str], found: dict[tuple[int, datetime], Reading]) -> None:
    status = result.get("StatusCode", "Complete")
    number, _, place = result["Id"][1:].partition("_")
    metric, _statistic, field = ASKED[int(place)]
    if status == "Forbidden":
        raise AwsRejected(f"cloudwatch get_metric_data: not allowed to read {metric}.", code="Forbidden")
    if status == "InternalError":
        raise AwsUnreachable(f"cloudwatch get_metric_data: AWS could not read {metric}.")
    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
        key = (int(number), at)
        reading = found.get(key)
        if reading is None:
            reading = found[key] = Reading(names[key[0]], at)
        setattr(reading, field, value if field.endswith("_ms") else round(value))
