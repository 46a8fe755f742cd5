"""What people see of CloudWatch's count: differences, stand-ins that say what they are, the hot set, our own calls."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from core.aws import functions as aws
from core.aws.clients import management_client
from core.aws.invoke import THROTTLED, invoke
from core.aws_calls.models import AwsCallDay
from core.aws_calls.prices import seed_prices
from core.models import AuditEntry
from services_registry.models import Function, HotFunction, MetricDay, MetricHour, MetricMinute
from services_registry.registry.sync import sync_functions
from services_registry.standings import refresh_standings
from services_registry.tasks import check_metrics
from services_registry.telemetry.ingest import OwnTail, ingest_tails
from tests.running_platform import until
from tests.telemetry.test_metric_checks import HOUR, lines

URL = "/functions/telemetry/"
Make = Callable[[str], Function]
ClientAs = Callable[[User], Client]
TODAY = datetime.now(UTC).date()


def day(function: Function, *, theirs: int, ours: int | None, **more: Any) -> MetricDay:
    return MetricDay.objects.create(
        function=function, day=HOUR.date(), invocations=theirs, ours=ours, until=timezone.now(), **more
    )


def test_differences_are_shown_per_function_and_day_in_numbers_and_percent(
    viewer: User, client_as: ClientAs, api_client: Callable[[User], APIClient], make_function: Make
) -> None:
    day(make_function("agrees"), theirs=50, ours=50)
    day(make_function("misses"), theirs=200, ours=150, errors=4, our_errors=1, throttles=9)
    day(make_function("silent"), theirs=7, ours=None)
    day(make_function("more"), theirs=0, ours=2)
    answer = client_as(viewer).get(URL)
    check = answer.context["check"]
    assert (check.compared, check.agreeing, check.metrics_only, check.differing) == (4, 1, 1, 2)
    page = answer.content.decode()
    assert "1 of 4 days of functions agree exactly" in page and "257 invocations by CloudWatch, 202 by lines" in page
    assert "-50 (-25.0 %)" in page and "lines missing" in page and "metrics only" in page and "+2" in page
    assert [entry.row.function.name for entry in check.rows] == ["misses", "silent", "more"]
    api = api_client(viewer).get("/api/v1/telemetry/cross-check/", {"after": HOUR.date().isoformat()}).json()["results"]
    assert {row["function_name"]: row["difference"] for row in api} == {
        "agrees": 0, "misses": -50, "silent": None, "more": 2,
    }  # fmt: skip


@pytest.mark.parametrize("kept", [False, True])
def test_cloudwatchs_count_stands_in_only_without_lines_and_says_so(
    viewer: User, client_as: ClientAs, make_function: Make, kept: bool
) -> None:
    silent, told = make_function("silent"), make_function("told")
    for function in (silent, told):
        MetricHour.objects.create(function=function, hour=HOUR, invocations=41, errors=3, throttles=6, concurrency=2)
        day(function, theirs=41, ours=None, errors=3, throttles=6)
    lines(told, 1, 2)
    if kept:
        refresh_standings(["24h", "30d"])
    client = client_as(viewer)
    for chosen in ("24h", "30d"):
        rows = {entry.function.name: entry for entry in client.get(f"/functions/?range={chosen}").context["facts"]}
        assert (rows["silent"].invocations, rows["silent"].errors, rows["silent"].from_metrics) == (41, 3, True)
        assert (rows["told"].invocations, rows["told"].errors, rows["told"].from_metrics) == (2, 0, False)
        assert (rows["silent"].throttles, rows["told"].throttles) == (6, 6)  # no line tells of a refused call
        assert rows["silent"].timeouts is None or kept
        assert 41 in rows["silent"].spark and rows["silent"].cost is None
        file = client.get(f"/functions/export.csv?range={chosen}&columns=invocations&columns=counted_by")
        text = b"".join(file).decode()
        assert "silent,41,CloudWatch metrics" in text and "told,2,REPORT lines" in text
        assert ">metrics</span>" in client.get(f"/functions/?range={chosen}").content.decode()
        page = client.get(f"/functions/{silent.pk}/?range={chosen}").content.decode()
        assert "no REPORT line came in" in page
        panel = client.get(f"/functions/{silent.pk}/metrics/?range={chosen}")
        assert [name for name, _question, _figure in panel.context["charts"]] == ["metric-calls", "metric-concurrency"]
    assert "no REPORT line came in" not in client.get(f"/functions/{told.pk}/").content.decode()


def test_an_operator_watches_a_function_by_the_minute_and_asks_at_once(
    viewer: User, operator: User, client_as: ClientAs, make_function: Make, django_capture_on_commit_callbacks: Any
) -> None:
    function = make_function("hot-one")
    client = client_as(operator)
    page = client.post(f"{URL}hot/", {"function": "hot-one", "hours": 3}, follow=True).content.decode()
    assert "hot-one is read by the minute from now on" in page
    mark = HotFunction.objects.get()
    assert timedelta(hours=2.9) < mark.until - timezone.now() < timedelta(hours=3)
    MetricMinute.objects.create(function=function, minute=timezone.now() - timedelta(minutes=5), invocations=3)
    assert [entry.calls for entry in client.get(URL).context["hot"]] == [[3]]
    wrong = client.post(f"{URL}hot/", {"function": "nobody", "hours": 3}, follow=True).content.decode()
    assert "AWS has no function of this name" in wrong
    client.post(reverse("metrics-cool", args=[function.pk]))
    assert not HotFunction.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["function.hot", "function.cooled"]
    with django_capture_on_commit_callbacks() as callbacks:
        assert client.post(f"{URL}check/").status_code == 302
    assert len(callbacks) == 1
    for address in ("hot/", "check/", f"hot/{function.pk}/cool/"):
        assert client_as(viewer).post(f"{URL}{address}").status_code == 403


def test_our_own_calls_and_the_pace_of_polling_are_said_in_words(
    viewer: User, client_as: ClientAs, settings: Any
) -> None:
    seed_prices()
    AwsCallDay.objects.create(day=TODAY, service="lambda", operation="Invoke", calls=12_345)
    AwsCallDay.objects.create(day=TODAY, service="cloudwatch", operation="GetMetricData", calls=7, units=1_200_000)
    page = client_as(viewer).get(URL).content.decode()
    assert "They cost $12.00 of $10.00 so far this month (120 % of the budget)" in page
    assert "olling rests until next month because 120 % of the budget is used" in page
    assert "12,345" in page and "1,200,000" in page and "metric asked for" in page
    settings.METRIC_CHECKS = False
    assert "witched off" in client_as(viewer).get(URL).content.decode()


@pytest.mark.slow
def test_calls_on_the_local_aws_agree_with_what_its_cloudwatch_counted(
    monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    name, region = "cross-checked", django_settings.AWS_REGION
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 1 / event['by']\n")
    aws.create_function(
        region=region, code_zip=packed.getvalue(), FunctionName=name, Runtime="python3.12", Handler="app.handler",
        Role="arn:aws:iam::123456789012:role/toy", Timeout=5, MemorySize=128,
    )  # fmt: skip
    sync_functions(region=region)
    for by in (1, 2, 0):
        made = invoke(name, b'{"by": %d}' % by, timeout_s=5)
        ingest_tails([OwnTail(name, region, made.request_id, made.log_tail, "" if by else "error")])
    management_client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert invoke(name, b"{}", timeout_s=5).outcome == THROTTLED

    def counted() -> MetricDay | None:
        later = datetime.now(UTC) + timedelta(hours=1)  # the hour is over
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: later)
            check_metrics(asked=True)
        row = MetricDay.objects.filter(function__name=name).first()
        return row if row and row.throttles and row.concurrency else None

    row = until(counted, 15, pause=0.5)
    assert (row.invocations, row.ours, row.errors, row.our_errors, row.throttles) == (3, 3, 1, 1, 1)
    assert row.concurrency == 1 and row.duration_max_ms
