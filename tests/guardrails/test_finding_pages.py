"""Pages and API of findings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from services_registry.guardrails.evaluate import evaluate
from services_registry.models import Finding, Function, RuleThreshold
from tests.guardrails.conftest import NOW

ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
Calls = Callable[..., None]
pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def fleet(make_function: Make, calls: Calls) -> dict[str, Function]:
    """Dear, cheap and near the wall; one function with all rules of time-outs."""
    dear = make_function("dear", timeout_s=900, owner="finance")
    cheap = make_function("cheap", owner="tracking")
    wall = make_function("wall", code_bytes=250_000_000, owner="tracking")
    make_function("fine", owner="nobody")
    calls(dear, 40, ms=900_000, status="timeout")
    calls(cheap, 40, ms=30_000, status="timeout")
    evaluate(now=NOW)
    return {row.name: row for row in (dear, cheap, wall)}


def names_in(text: str) -> list[str]:
    """Functions of the rows, in their order."""
    rows = text.split("<tbody>")[1].split("<tr>")[1:]
    return [next(name for name in ("dear", "cheap", "wall") if f">{name}</a>" in row) for row in rows]


def test_the_list_shows_the_most_money_first_and_filters(
    fleet: dict[str, Function], client_as: ClientAs, viewer: User
) -> None:
    client = client_as(viewer)
    text = client.get("/functions/findings/").content.decode()
    assert names_in(text) == ["dear", "cheap", "wall", "dear"] or names_in(text) == ["dear", "cheap", "dear", "wall"]
    assert 'data-count="4"' in text and "a month at stake" in text and "40 of 40 calls" in text
    found = {
        "rule=package-size": ["wall"], "owner=finance": ["dear", "dear"], "q=HEA": ["cheap"],
        "severity=danger": ["dear", "cheap", "wall"],
    }  # fmt: skip
    for query, expected in found.items():
        assert names_in(client.get(f"/functions/findings/?{query}").content.decode()) == expected, query
    assert "No finding matches" in client.get("/functions/findings/?state=closed").content.decode()
    assert client.get("/functions/findings/?rule=nonsense").status_code == 400


def test_without_findings_the_page_says_why(db: None, client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    assert "No findings yet" in client.get("/functions/findings/").content.decode()
    assert "No rule finds anything wrong" in client.get("/functions/findings/home/").content.decode()


def test_one_finding_shows_evidence_limits_and_what_to_do(
    fleet: dict[str, Function], client_as: ClientAs, viewer: User
) -> None:
    RuleThreshold.objects.create(
        rule="timeouts", name="least_calls", value=25, valid_from=NOW.date(), source="by the board"
    )
    row = Finding.objects.get(rule="timeouts", function__name="dear")
    text = client_as(viewer).get(f"/functions/findings/{row.pk}/").content.decode()
    assert "40 of 40 calls" in text and 'id="chart-evidence"' in text and "by the board" in text
    assert "What runs cannot be ended" in text and "opened" in text
    assert "Snooze" not in text and "Stop the function" not in text, "a viewer reads"


def test_operators_put_a_finding_off_by_page(fleet: dict[str, Function], client_as: ClientAs, operator: User) -> None:
    client, row = client_as(operator), Finding.objects.get(rule="package-size")
    address = f"/functions/findings/{row.pk}/"
    assert client.post(f"{address}snooze/", {"days": "7", "reason": ""}).status_code == 400
    client.post(f"{address}snooze/", {"days": "7", "reason": "it moves to an image"})
    text = client.get(address).content.decode()
    assert "Put off by" in text and "it moves to an image" in text and "put it off until" in text
    assert names_in(client.get("/functions/findings/?state=snoozed").content.decode()) == ["wall"]
    client.post(f"{address}unsnooze/")
    row.refresh_from_db()
    assert row.state == "open"


def test_the_panels_on_home_and_function_page(fleet: dict[str, Function], client_as: ClientAs, ops_lead: User) -> None:
    client = client_as(ops_lead)
    home = client.get("/functions/findings/home/").content.decode()
    assert 'data-count="4"' in home and "dear" in home
    page = client.get(f"/functions/{fleet['dear'].pk}/").content.decode()
    assert f'hx-get="/functions/{fleet["dear"].pk}/guardrails/"' in page
    panel = client.get(f"/functions/{fleet['dear'].pk}/guardrails/").content.decode()
    assert "2 findings" in panel and "Calls run into the time-out" in panel and "Stop" in panel


def test_pages_ask_as_little_for_many_as_for_few(
    make_function: Make, client_as: ClientAs, viewer: User, query_budget: Any
) -> None:
    client = client_as(viewer)
    for size in (3, 30):
        for number in range(size):
            make_function(f"big-{size}-{number}", code_bytes=260_000_000, owner=f"owner-{number}")
        evaluate(now=NOW)
        with query_budget(10):
            assert client.get("/functions/findings/").status_code == 200


def test_the_api_lists_and_puts_off(fleet: dict[str, Function], api_client: Any, operator: User, viewer: User) -> None:
    client = api_client(operator)
    rows = client.get("/api/v1/findings/").json()["results"]
    assert rows[0]["function_name"] == "dear" and rows[0]["evidence"]["timeouts"] == 40
    assert rows[0]["money_usd"].startswith("18.00") and rows[0]["title"] == "Calls run into the time-out"
    assert [
        row["function_name"] for row in client.get("/api/v1/findings/?owner=tracking&rule=timeouts").json()["results"]
    ] == ["cheap"]
    address = f"/api/v1/findings/{rows[0]['id']}/"
    until = (timezone.now() + timedelta(days=3)).isoformat()
    assert api_client(viewer).post(f"{address}snooze/", {"until": until, "reason": "x"}).status_code == 403
    assert client.post(f"{address}snooze/", {"until": until}).status_code == 400
    assert (
        client.post(f"{address}snooze/", {"until": "2020-01-01T00:00:00Z", "reason": "x"}).json()["error"]["code"]
        == "until"
    )
    assert client.post(f"{address}snooze/", {"until": until, "reason": "known"}).json()["state"] == "snoozed"
    assert client.post(f"{address}unsnooze/").json()["state"] == "open"
    assert AuditEntry.objects.filter(verb="finding.snoozed", source="api").count() == 1


def test_limits_are_changed_in_the_admin_and_kept_on_the_audit_trail(client_as: ClientAs, admin_user: User) -> None:
    client = client_as(admin_user)
    address = "/admin/services_registry/rulethreshold/add/"
    given = {"rule": "timeouts", "name": "server_usd", "value": "1", "valid_from": "2026-01-01", "source": "a try"}
    assert "This rule has no such limit" in client.post(address, given).content.decode()
    assert client.post(address, given | {"name": "share", "value": "0.2"}).status_code == 302
    assert RuleThreshold.objects.get().value == Decimal("0.2")
    entry: Any = AuditEntry.objects.get(verb="threshold.created")
    assert entry.after["source"] == "a try"
    for name in ("finding", "stoprecord", "rulethreshold"):
        assert client.get(f"/admin/services_registry/{name}/").status_code == 200
