"""Invocations leave logs and metrics where a reader of CloudWatch finds them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.embedded.test_local_aws import LocalAws, aws, until

__all__ = ["aws"]


def events(aws: LocalAws, group: str) -> list[dict[str, Any]]:
    """All events of a log group; empty while it does not exist."""
    logs = aws.client("logs")
    try:
        return list(logs.filter_log_events(logGroupName=group)["events"])
    except logs.exceptions.ResourceNotFoundException:
        return []


def test_lines_arrive_in_order_in_a_stream_named_as_aws_does(aws: LocalAws) -> None:
    name = aws.create()
    stream = aws.invoke(name, {"say": "paper"}).payload["stream"]
    found = until(lambda: events(aws, f"/aws/lambda/{name}"))
    assert {event["logStreamName"] for event in found} == {stream}
    kinds = [event["message"].split(" ")[0] for event in found]
    assert kinds == ["INIT_START", "loading", "START", "handling", "END", "REPORT"]


def test_traceback_is_one_event(aws: LocalAws) -> None:
    name = aws.create()
    aws.invoke(name, {"raise": "torn"})
    found = until(lambda: events(aws, f"/aws/lambda/{name}"))
    (error,) = [event["message"] for event in found if "[ERROR]" in event["message"]]
    assert error.startswith("[ERROR] ValueError: torn\nTraceback (most recent call last):\n")


@pytest.mark.slow
def test_json_format_writes_platform_records_to_the_chosen_group(aws: LocalAws) -> None:
    name = aws.create(LoggingConfig={"LogFormat": "JSON", "LogGroup": "/json/group"}, Timeout=1)
    ok = aws.invoke(name, {"log": "careful"})
    late = aws.invoke(name, {"sleep": 9})
    wanted = 2
    found = until(lambda: [e for e in events(aws, "/json/group") if "platform.report" in e["message"]][wanted - 1 :])
    assert found
    records = [json.loads(e["message"]) for e in events(aws, "/json/group") if e["message"].startswith("{")]
    start = next(one for one in records if one.get("type") == "platform.start")
    assert start["record"]["requestId"] == ok.request_id and start["record"]["version"] == "$LATEST"
    reports = {one["record"]["requestId"]: one["record"] for one in records if one.get("type") == "platform.report"}
    metrics = reports[ok.request_id]["metrics"]
    assert reports[ok.request_id]["status"] == "success" and metrics["initDurationMs"] > 0
    assert metrics["billedDurationMs"] >= metrics["durationMs"] + metrics["initDurationMs"]
    assert reports[late.request_id]["status"] == "timeout"
    warning = next(one for one in records if one.get("level") == "WARN" or one.get("level") == "WARNING")
    assert (warning["message"], warning["requestId"]) == ("careful", ok.request_id)


@pytest.mark.slow
def test_metrics_count_invocations_errors_and_durations(aws: LocalAws) -> None:
    name = aws.create()
    for event in ({}, {}, {"raise": "x"}):
        aws.invoke(name, event)
    wanted = [("Invocations", "Sum"), ("Errors", "Sum"), ("Duration", "p95"), ("Duration", "SampleCount")]

    def read() -> list[float]:
        now = datetime.now(UTC)
        dimensions = [{"Name": "FunctionName", "Value": name}]
        queries = [
            {
                "Id": f"q{number}",
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions},
                    "Period": 7200,
                    "Stat": stat,
                },
            }
            for number, (metric, stat) in enumerate(wanted)
        ]
        span = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(minutes=1)}
        found = aws.client("cloudwatch").get_metric_data(MetricDataQueries=queries, **span)["MetricDataResults"]
        return [sum(result["Values"]) for result in found]

    invocations, errors, p95, samples = until(lambda: (values := read()) and values[0] == 3 and values)
    assert (invocations, errors, samples) == (3, 1, 3) and 0 < p95 < 5000
