"""The page and the API that say what comes in, by which door, and what was refused."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from services_registry.models import Function, LogPosition, RejectedLine
from services_registry.telemetry.ingest import ingest_stream
from tests.telemetry.conftest import report_line, request_id

URL = "/functions/telemetry/"


def take(*messages: str, door: str) -> None:
    stamp = int(time.time() * 1000) - 120_000
    lines = [json.dumps({"logGroup": "/aws/lambda/seen", "timestamp": stamp, "message": text}) for text in messages]
    ingest_stream(io.StringIO("\n".join(lines) + "\n"), door=door, source=f"{door}.log")


def test_an_empty_page_says_how_lines_would_come_in(viewer: User, client_as: Callable[[User], Client]) -> None:
    page = client_as(viewer).get(URL).content.decode()
    assert "Nothing came in during this time" in page and "No line was refused" in page
    assert Client().get(URL).status_code == 302


def test_each_door_shows_what_it_brought_and_what_was_refused(
    viewer: User,
    client_as: Callable[[User], Client],
    make_function: Callable[[str], Function],
    query_budget: Callable[[int], AbstractContextManager[None]],
) -> None:
    function = make_function("seen")
    cut = report_line(request_id(9))[:80]
    take(report_line(request_id(1)), report_line(request_id(2)), cut, door="firehose")
    take(report_line(request_id(2)), door="pull")
    LogPosition.objects.create(function=function, until="2026-11-24T00:00Z", problem="access denied to the log group")
    client = client_as(viewer)
    client.get(URL)
    with query_budget(17):
        answer = client.get(URL)
    rows = {facts.door: facts for facts in answer.context["doors"]}
    firehose, pull = rows["firehose"], rows["pull"]
    assert (firehose.lines, firehose.new, firehose.known, firehose.rejected) == (3, 2, 0, 1)
    assert (pull.lines, pull.new, pull.known, pull.rejected) == (1, 0, 1, 0)
    assert firehose.lag_s is not None and 119 < firehose.lag_s < 180 and pull.lag_s is None
    page = answer.content.decode()
    assert "access denied to the log group" in page and request_id(9) in page
    assert "In use" in page or "in use" in page
    assert cut.replace("\t", " ").split()[-1] in page
    assert request_id(9) not in client.get(URL, {"door": "pull"}).content.decode()
    assert request_id(9) in client.get(URL, {"door": "firehose", "q": "without id"}).content.decode()
    assert client.get(URL, {"door": "window"}).status_code == 400


def test_refused_lines_are_paged_and_the_api_tells_the_same(
    viewer: User, client_as: Callable[[User], Client], api_client: Callable[[User], APIClient], db: None
) -> None:
    RejectedLine.objects.bulk_create(
        RejectedLine(door="file", reason="cut", line=f"line {n}", digest=str(n)) for n in range(60)
    )
    page = client_as(viewer).get(URL)
    assert len(page.context["page"].rows) == 50 and page.context["count"] == 60
    api = api_client(viewer)
    answer: Any = api.get("/api/v1/telemetry/rejected/", {"door": "file"}).json()
    assert answer["results"][0]["reason"] == "cut" and answer["next"]
    take(report_line(request_id(1)), door="pull")
    hour = api.get("/api/v1/telemetry/", {"door": "pull"}).json()["results"][0]
    assert (hour["door"], hour["reports"], hour["new"], hour["known"]) == ("pull", 1, 1, 0)
