"""Addresses in the AWS console, for people who want to look there. No call is made."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

AROUND = timedelta(minutes=15)  # longer than any invocation can run
_HOSTS = {
    "aws": "{region}.console.aws.amazon.com",
    "aws-cn": "{region}.console.amazonaws.cn",
    "aws-us-gov": "{region}.console.amazonaws-us-gov.com",
}


def log_search_url(*, arn: str, log_group: str, request_id: str, at: datetime) -> str:
    """The lines of one invocation in CloudWatch Logs, in whichever stream they are."""
    _arn, partition, _service, region, *_rest = arn.split(":")
    host = _HOSTS.get(partition, _HOSTS["aws"]).format(region=region)
    start, end = (round(moment.timestamp() * 1000) for moment in (at - AROUND, at + timedelta(minutes=1)))
    pattern = _twice(f'"{request_id}"')
    wanted = f"$3FfilterPattern$3D{pattern}$26start$3D{start}$26end$3D{end}"
    return f"https://{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{_twice(log_group)}/log-events{wanted}"


def _twice(text: str) -> str:
    """The console wants `$25`-escapes: percent signs of an escaped text, escaped again."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")
