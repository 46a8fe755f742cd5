"""Single invocations on a function's page: by outcome and by step, with the end of their log; and who calls it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import unquote

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from services_registry.models import Batch, BatchSchedule, CapabilityBinding, Chunk, Function

ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
Report = Callable[..., None]
FRAGMENT = {"HX-Request": "true"}


def requests_in(text: str) -> list[str]:
    return re.findall(r'data-copy="(r-\d+)"', text)


def test_the_list_narrows_by_outcome_and_by_day(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User, query_budget: Any
) -> None:
    function = make_function("busy")
    report(function, count=30)
    report(function, status="timeout", error_type="Sandbox.Timedout")
    report(function, init_ms=300.0)
    report(function, count=2, days_ago=3, status="error")
    client, page = client_as(viewer), f"/functions/{function.pk}/"
    assert len(requests_in(client.get(page).content.decode())) == 25
    assert requests_in(client.get(f"{page}?ended=timeout", headers=FRAGMENT).content.decode()) == ["r-30"]
    assert requests_in(client.get(f"{page}?ended=cold", headers=FRAGMENT).content.decode()) == ["r-31"]
    day = f"{timezone.now().astimezone(UTC).date() - timedelta(days=3)}"
    with query_budget(10):  # five of them keep the time of one short
        text = client.get(f"{page}?at={day}", headers=FRAGMENT).content.decode()
    assert requests_in(text) == ["r-33", "r-32"] and "<html" not in text
    assert requests_in(client.get(f"{page}?at={day}&ended=timeout", headers=FRAGMENT).content.decode()) == []
    whole = client.get(page, headers=FRAGMENT).content.decode()
    earlier = re.search(r'rel="next" href="([^"]+)#invocations"', whole)
    assert earlier is not None
    rest = requests_in(client.get(earlier[1].replace("&amp;", "&"), headers=FRAGMENT).content.decode())
    assert len(rest) == 9 and not set(rest) & set(requests_in(whole))
    for senseless in ("at=never", "at=9999-12-31T23:00", "ended=x", "cursor=x"):
        assert client.get(f"{page}?{senseless}").status_code == 200


def test_a_time_beyond_the_kept_days_says_so(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    function = make_function("old")
    text = client_as(viewer).get(f"/functions/{function.pk}/?at=2026-01-05", headers=FRAGMENT).content.decode()
    assert "no longer kept" in text and "30 days" in text


def test_our_own_call_shows_the_end_of_its_log_and_its_batch(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User, settings: Any
) -> None:
    settings.AWS_ENDPOINT_URL = ""
    function = make_function("called", log_group="/aws/lambda/called")
    report(function)
    batch = Batch.objects.create(function_name="called", title="a run", total=1)
    Chunk.objects.create(batch=batch, position=0, request_id="r-0", log_tail="START <r-0>\nit said this")
    text = client_as(viewer).get(f"/functions/{function.pk}/").content.decode()
    assert f'href="/batches/{batch.pk}/"' in text and "START &lt;r-0&gt;\nit said this" in text
    link = re.search(r'href="(https://eu-west-1\.console\.aws\.amazon\.com/cloudwatch/[^"]+)"', text)
    assert link is not None
    said = unquote(unquote(link[1].replace("$", "%")))
    assert 'log-group//aws/lambda/called/log-events?filterPattern="r-0"&start=' in said
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:1"  # the local AWS has no console to lead to
    assert "console.aws" not in client_as(viewer).get(f"/functions/{function.pk}/").content.decode()


def test_callers_are_named(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    unknown = make_function("nobodys")
    client = client_as(viewer)
    assert "No caller is known" in client.get(f"/functions/{unknown.pk}/").content.decode()
    function = make_function(
        "called", callers=["s3.amazonaws.com"], event_sources=[{"source": "arn:aws:sqs:queue", "state": "Disabled"}]
    )
    CapabilityBinding.objects.create(capability="do_it", function_name="called")
    schedule = BatchSchedule.objects.create(name="nightly round", capability="do_it", every_minutes=90)
    BatchSchedule.objects.create(name="something else", capability="other")
    for who, region in (("ana", ""), ("ana", "eu-west-1"), ("bo", "us-east-1")):
        Batch.objects.create(function_name="called", title="t", capability="do_it", created_by_name=who, region=region)
    text = client.get(f"/functions/{function.pk}/").content.decode()
    callers = text[text.index("Who calls it") : text.index("Revisions</h2>")]
    for said in ("do_it", f"/batches/schedules/{schedule.pk}/", "every 90 min", "s3.amazonaws.com", "sqs:queue", "ana"):
        assert said in callers
    assert "page · 2" in callers and "something else" not in callers and "bo" not in callers.split("Batches")[1][:200]
