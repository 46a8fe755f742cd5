"""Page, API and command show the same plan; the page keeps what was entered; a start passes it on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from services_registry.choices import Priority
from services_registry.models import Batch, Function
from tests.batches.plans import FUNCTION, crates, crates_bound, ran

ClientAs = Callable[[User], Client]
ApiClient = Callable[[User], APIClient]
Budget = Callable[[int], AbstractContextManager[None]]
API = "/api/v1/batches/plan/"


@pytest.fixture(autouse=True)
def function(db: None) -> Iterator[Function]:
    with crates_bound() as row:
        yield row


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("plan_batch", *arguments, stdout=out)
    return out.getvalue()


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the plan's form, as a browser would send them."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: value.replace("&quot;", '"') for name, value in found if name != "csrfmiddlewaretoken"}


@pytest.fixture
def post(client_as: ClientAs, operator: User) -> Callable[..., Any]:
    """`post("plan", keys=[...])` posts to a page of plans."""
    client = client_as(operator)

    def send(address: str, **data: Any) -> Any:
        return client.post(f"/batches/{address}/", data)

    return send


def test_page_api_and_command_show_the_same_plan(
    post: Callable[..., Any], api_client: ApiClient, operator: User
) -> None:
    ran((5_000, 50))
    keys = crates(120)
    shown = post("plan", capability="crates", keys=keys).context["plan"].as_json()
    body = {"capability": "crates", "selection": {"keys": keys}}
    answered = api_client(operator).post(API, body, format="json").json()
    printed = json.loads(command("crates", "--keys", ",".join(keys), "--json"))
    assert shown == answered == printed
    assert (printed["items"], printed["chunks"], printed["capability"]) == (120, 3, "crates")
    assert printed["labels"][0] == "crate c0-1-@"
    assert not Batch.objects.exclude(title="earlier").exists()


def test_every_fact_of_a_plan_is_in_the_schema(api_client: ApiClient, operator: User) -> None:
    from services_registry.api.plans import PlanSerializer

    body = {"capability": "crates", "selection": {"keys": crates(2)}}
    answer = api_client(operator).post(API, body, format="json").json()
    assert list(answer) == list(PlanSerializer().fields)


def test_a_plain_run_is_planned_over_the_api(api_client: ApiClient, operator: User, viewer: User) -> None:
    body = {"function": FUNCTION, "payload": {"n": 1}}
    answer = api_client(operator).post(API, body, format="json").json()
    assert (answer["function"], answer["items"], answer["chunk_size_why"]["code"]) == (FUNCTION, 1, "plain")
    assert api_client(viewer).post(API, body, format="json").status_code == 403


def test_what_cannot_be_planned_is_refused_at_each_door(
    post: Callable[..., Any], api_client: ApiClient, operator: User
) -> None:
    body = {"capability": "crates", "selection": {"keys": []}}
    answer = api_client(operator).post(API, body, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "empty_selection")
    assert post("plan", capability="nobody", keys="c1-1-").status_code == 400
    with pytest.raises(CommandError, match="holds no crates"):
        command("crates", "--keys", "")
    with pytest.raises(CommandError, match="not JSON"):
        command("crates", "--query", "{")


def test_the_command_prints_for_people_too() -> None:
    ran((5_000, 50))
    text = command("crates", "--keys", ",".join(crates(120)), "--chunk-size", "40")
    assert "3 of at most 40 (as you asked" in text and "≈ $" in text and "p95 ≈ 4.0 s" in text


def test_the_page_says_the_numbers_in_words(post: Callable[..., Any]) -> None:
    text = post("plan", capability="crates", keys=crates(120)).content.decode()
    assert "not known yet: this has not run before" in text
    assert 'data-plan-chunks="3"' in text and "Start with 120 crates" in text
    ran((5_000, 50))
    text = post("plan", capability="crates", keys=crates(120)).content.decode()
    assert "5.0 s of the 1 min time-out" in text and "from 1 earlier chunk" in text
    assert text.count("<meter") == 4


def test_cautions_carry_word_and_tone(post: Callable[..., Any]) -> None:
    Function.objects.update(reserved_concurrency=0)
    ran((5_000, 50))
    text = post("plan", capability="crates", keys=crates(3)).content.decode()
    assert "nothing can begin now" in text
    assert re.search(r'data-caution="stopped"><span class="badge tone-red"[^>]*>danger</span>', text)


def test_recalculating_keeps_reason_and_key(post: Callable[..., Any]) -> None:
    first = fields_of(post("plan", capability="crates", keys=crates(120)).content.decode())
    again = post("plan", **first, reason="a customer asked", chunk_size="10", priority="16", max_failed_percent="")
    text = again.content.decode()
    assert again.status_code == 200 and 'data-plan-chunks="12"' in text
    assert 'value="a customer asked"' in text and fields_of(text) == first
    assert "<details" in text and " open>" in text  # what was changed stays in view


def test_what_is_wrong_is_shown_beside_the_plan_and_nothing_is_lost(post: Callable[..., Any]) -> None:
    first = fields_of(post("plan", capability="crates", keys=crates(120)).content.decode())
    for address in ("plan", "start"):
        wrong = post(address, **first, reason="a customer asked", chunk_size="0", max_failed_percent="101")
        text = wrong.content.decode()
        assert wrong.status_code == 400 and "2 things need a correction" in text
        assert 'value="a customer asked"' in text and 'value="101"' in text
        assert "Start with 120 crates" in text
    assert not Batch.objects.exists()


def test_a_refused_start_shows_the_plan_with_a_new_key(post: Callable[..., Any]) -> None:
    first = fields_of(post("plan", capability="crates", keys=crates(3)).content.decode())
    Batch.objects.create(function_name="f", title="other", idempotency_key=first["idempotency_key"])
    refused = post("start", **first, reason="a customer asked")
    text = refused.content.decode()
    assert refused.status_code == 409 and "already belongs to another batch" in text
    assert 'value="a customer asked"' in text
    assert fields_of(text)["idempotency_key"] != first["idempotency_key"]


def test_options_and_plan_are_kept_with_the_batch(post: Callable[..., Any]) -> None:
    first = fields_of(post("plan", capability="crates", keys=crates(120)).content.decode())
    options = {"chunk_size": "10", "concurrency": "2", "priority": "16", "max_failed": "7", "max_failed_percent": ""}
    started = post("start", **first, **options, reason="a customer asked")
    batch = Batch.objects.get()
    assert started.headers["Location"] == f"/batches/{batch.pk}/"
    assert (batch.chunk_size, batch.concurrency, batch.priority) == (10, 2, Priority.HIGH)
    assert (batch.max_failed, batch.max_failed_percent) == (7, None)
    assert (batch.plan["chunks"], batch.plan["worst_sends"]) == (12, 3)


def test_a_start_without_options_halts_at_half(post: Callable[..., Any]) -> None:
    first = fields_of(post("plan", capability="crates", keys=crates(3)).content.decode())
    post("start", **first)
    batch = Batch.objects.get()
    assert (batch.max_failed_percent, batch.max_failed, batch.priority) == (50, None, Priority.NORMAL)


def test_a_plan_costs_the_same_queries_for_three_thousand_items(post: Callable[..., Any], query_budget: Budget) -> None:
    form = fields_of(post("plan", capability="crates", keys=crates(3)).content.decode())
    for count in (3, 3_000):
        with query_budget(20):
            answer = post("plan", **form | {"selection": json.dumps({"keys": crates(count)})})
        assert answer.context["plan"].items == count
