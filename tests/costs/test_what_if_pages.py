"""The what-if of a function, its panel on the function's page, the list by money to win, file and API."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from core import slots
from costs.models import WhatIf
from costs.tasks import refresh_what_ifs
from services_registry.models import Function
from tests.costs.test_what_if import days_of, servers

__all__ = ["servers"]
pytestmark = pytest.mark.usefixtures("prices", "servers")
ClientAs = Callable[[User], Client]
Make = Callable[..., Function]


@pytest.fixture
def drainer(make_function: Make) -> Function:
    function = make_function("queue-drainer", memory_mb=1024, timeout_s=900, owner="platform")
    days_of(function, calls=360, ms=240_000, used_mb=300, timeouts=2)
    return function


def text_of(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return str(response.content.decode())


def figure_of(text: str) -> Any:
    found = re.search(r'<script id="chart-break-even-data" type="application/json">(.+?)</script>', text)
    assert found and len(found[1]) < 30_000
    return json.loads(found[1])


def test_a_busy_function_is_told_to_move_and_why(drainer: Function, client_as: ClientAs, viewer: User) -> None:
    text = text_of(client_as(viewer), f"/costs/functions/{drainer.pk}/")
    assert "Better on a server" in text and "1 × t4g.small would hold the same work" in text
    assert "It is busy 63% of the time" in text and "Beyond three minutes a time-out costs much" in text
    assert "60 calls of these days ran into the time-out" in text
    figure = figure_of(text)
    names = [trace["name"] for trace in figure["data"]]
    assert names == ["Lambda", "t4g.small"]
    marks = [note["text"] for note in figure["layout"]["annotations"]]
    assert marks == ["now", "break-even"]
    assert "How sure is this?" in text and "too small" in text


def test_assumptions_are_in_the_address(drainer: Function, client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    asked = f"/costs/functions/{drainer.pk}/?server=t4g.medium&hours=12&least=3&cpu=0&arm=0.8&days=7&fill=90"
    text = text_of(client, asked)
    assert "3 × t4g.medium" in text and "as many as are asked for" in text and "The usual ones" in text
    assert 'value="0.8"' in text and "t4g.small</th>" not in text
    assert "The usual ones" not in text_of(client, f"/costs/functions/{drainer.pk}/")
    wrong = text_of(client, f"/costs/functions/{drainer.pk}/?fill=5&hours=x", status=400)
    assert "Something in the assumptions is wrong" in wrong and "Better on a server" in wrong


def test_what_cannot_be_said_is_said(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    never, few, nowhere = make_function("never"), make_function("few"), make_function("nowhere", region="mars-north-1")
    days_of(few, calls=1, ms=100, days=3)
    days_of(nowhere, calls=100, ms=100)
    assert "It was not called in these days" in text_of(client, f"/costs/functions/{never.pk}/")
    assert "Too few calls to say" in text_of(client, f"/costs/functions/{few.pk}/")
    assert "No price is known" in text_of(client, f"/costs/functions/{nowhere.pk}/")
    assert client.get("/costs/functions/999999/").status_code == 404


def test_the_page_of_a_function_asks_for_its_panel(drainer: Function, client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    assert f'hx-get="/costs/functions/{drainer.pk}/fragment/"' in text_of(client, f"/functions/{drainer.pk}/")
    panel = text_of(client, f"/costs/functions/{drainer.pk}/fragment/")
    assert "Better on a server" in panel and f'href="/costs/functions/{drainer.pk}/"' in panel


def test_the_list_is_by_money_to_win(
    drainer: Function, make_function: Make, client_as: ClientAs, viewer: User,
    query_budget: Callable[[int], AbstractContextManager[None]],
) -> None:  # fmt: skip
    client = client_as(viewer)
    assert "Nothing is reckoned yet" in text_of(client, "/costs/what-if/")
    for number in range(60):
        small = make_function(f"small-{number:02}", memory_mb=512, timeout_s=60)
        days_of(small, calls=1_000 + number, ms=500, used_mb=100, days=2)
    refresh_what_ifs()
    with query_budget(9):
        text = text_of(client, "/costs/what-if/")
    names = re.findall(r'scope="row"[^>]*><span><a href="/costs/functions/\d+/">([^<]+)<', text)
    assert names[:2] == ["queue-drainer", "small-59"] and len(names) == 50 and 'rel="next"' in text
    assert "small-59" not in text_of(client, "/costs/what-if/?way=server")
    assert "For no function this is the cheapest" in text_of(client, "/costs/what-if/?way=stay")
    response = client.get("/costs/what-if/export.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))  # type: ignore[attr-defined]
    gains = [Decimal(row["gain_usd_a_month"]) for row in rows]
    assert len(rows) == 61 and gains == sorted(gains, reverse=True) and rows[0]["owner"] == "platform"


def test_the_first_start_does_not_wait_for_the_night(drainer: Function) -> None:
    (step,) = [step for step in slots.setup_steps if step.name == "what-ifs"]
    said: list[str] = []
    step.run(said.append)
    step.run(said.append)
    assert said == ["1 functions reckoned otherwise"] and WhatIf.objects.count() == 1


def test_the_api_reckons_with_given_assumptions(
    drainer: Function, api_client: Callable[[User], APIClient], viewer: User
) -> None:
    client = api_client(viewer)
    refresh_what_ifs()
    (row,) = client.get("/api/v1/costs/what-if/").json()["results"]
    kept = WhatIf.objects.get()
    assert Decimal(row["gain"]) == kept.gain and row["way"] == "server" and row["function_name"] == "queue-drainer"
    one = client.get(f"/api/v1/costs/functions/{drainer.pk}/what-if/").json()
    assert Decimal(one["gain"]).quantize(Decimal("1e-12")) == kept.gain.quantize(Decimal("1e-12"))
    assert one["assumptions"] == {
        "days": 30, "cpu": 50, "arm": "1.00", "server": "", "hours": 24, "fill": 70, "least": 1, "more": 50,
        "wait": "",
    }  # fmt: skip
    other = client.get(f"/api/v1/costs/functions/{drainer.pk}/what-if/?server=t4g.medium&least=3").json()
    assert [offer["count"] for offer in other["servers"]] == [3] and other["break_even_calls_per_day"] is not None
    assert client.get(f"/api/v1/costs/functions/{drainer.pk}/what-if/?cpu=200").status_code == 400
    assert client.get("/api/v1/costs/functions/999999/what-if/").status_code == 404
