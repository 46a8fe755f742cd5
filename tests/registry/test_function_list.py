"""The registry list: what it shows, how it is searched, sorted and kept cheap."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from services_registry.models import Function

ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
Report = Callable[..., None]


def names(text: str) -> list[str]:
    return re.findall(r'<a class="text-nowrap" href="/functions/\d+/[^"]*">([^<]+)</a>', text)


def test_shows_sums_and_percentiles_of_the_range(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User
) -> None:
    function = make_function("labels-render")
    report(function, count=40, billed_ms=1000)
    report(function, count=10, billed_ms=30_000, status="timeout")
    text = client_as(viewer).get("/functions/").content.decode()
    assert "20.0 %" in text and "10 of 50 calls" in text
    assert "1.0 s" in text and '<svg class="sparkline"' in text


def test_a_rate_of_few_calls_says_so_and_ranks_last(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User
) -> None:
    few, many = make_function("few"), make_function("many")
    report(few, status="error")
    report(many, count=95)
    report(many, count=5, status="error")
    text = client_as(viewer).get("/functions/?sort=-errors").content.decode()
    assert names(text) == ["many", "few"]
    assert "of only 1" in text


def test_search_and_filters_combine(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    make_function("labels-render", owner="documents")
    make_function("labels-archive", owner="finance")
    make_function("tracking", owner="documents", description="100% LABELS")
    client = client_as(viewer)
    assert names(client.get("/functions/?q=LABEL&owner=documents").content.decode()) == ["labels-render", "tracking"]
    assert names(client.get("/functions/?q=100%25").content.decode()) == ["tracking"]
    assert "No function matches" in client.get("/functions/?q=nothing").content.decode()


def test_functions_gone_from_aws_can_be_left_out(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    make_function("present")
    make_function("was-there", gone=timezone.now())
    client = client_as(viewer)
    assert names(client.get("/functions/?gone=false").content.decode()) == ["present"]
    assert names(client.get("/functions/?gone=true").content.decode()) == ["was-there"]


def test_htmx_gets_the_table_alone(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    make_function("labels-render")
    answer = client_as(viewer).get("/functions/", headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert names(answer.content.decode()) == ["labels-render"]
    assert "HX-Request" in answer.headers["Vary"]


def test_headers_sort_and_turn_round(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    make_function("b")
    make_function("a")
    client = client_as(viewer)
    up = client.get("/functions/?sort=name&page=1").content.decode()
    assert names(up) == ["a", "b"]
    assert 'aria-sort="ascending"' in up and "?sort=-name" in up
    assert names(client.get("/functions/?sort=-name").content.decode()) == ["b", "a"]


def test_the_list_costs_the_same_with_thirty_functions(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User,
    query_budget: Callable[[int], AbstractContextManager[Any]],
) -> None:  # fmt: skip
    client = client_as(viewer)
    for count in (3, 30):
        Function.objects.all().delete()
        for number in range(count):
            report(make_function(f"f-{number}"))
        with query_budget(18):  # sums made now; those kept ready take less, see test_function_standings
            assert client.get("/functions/").status_code == 200


def test_the_global_search_finds_functions(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    function = make_function("labels-render")
    assert f"/functions/{function.pk}/" in client_as(viewer).get("/search/?q=render").content.decode()
