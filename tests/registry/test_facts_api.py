"""The numbers of the list over REST, and what people keep by hand, changed by API and admin with an audit entry."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from core.models import AuditEntry
from services_registry.models import AwsAccount, Function

ApiClient = Callable[[User], APIClient]
Make = Callable[..., Function]
pytestmark = pytest.mark.django_db


def test_facts_are_those_of_the_list_with_its_filters_and_orders(
    make_function: Make, report: Callable[..., None], api_client: ApiClient, viewer: User
) -> None:
    quick, slow, idle = make_function("quick", owner="a"), make_function("slow", owner="b"), make_function("idle")
    report(quick, count=30, billed_ms=100)
    report(slow, count=5, billed_ms=30_000, status="timeout")
    api = api_client(viewer)
    answer = api.get("/api/v1/functions/facts/?range=7d&sort=-p99").json()
    assert [row["function_name"] for row in answer["results"]] == ["slow", "quick", "idle"]
    slowest, _quick, none = answer["results"]
    assert (slowest["invocations"], slowest["errors"], slowest["timeouts"]) == (5, 5, 5)
    assert slowest["p99"] == pytest.approx(30_000, rel=0.02) and answer["as_of"] >= answer["start"]
    assert (none["function"], none["invocations"], none["p50"], none["cost"]) == (idle.pk, None, None, None)
    assert [row["owner"] for row in api.get("/api/v1/functions/facts/?owner=a").json()["results"]] == ["a"]
    for query in ("range=odd", "owner=nobody", "kind=odd"):
        assert api.get(f"/api/v1/functions/facts/?{query}").status_code == 400, query


@pytest.mark.slow
def test_hand_kept_fields_change_by_api_one_by_one_and_audited(
    make_function: Make, api_client: ApiClient, operator: User, viewer: User
) -> None:
    function = make_function("render", owner="documents", notes="call Ana")
    address = f"/api/v1/functions/{function.pk}/kept/"
    said = {"owner": "routing", "runbook": "https://wiki.example.com/render"}
    assert api_client(viewer).patch(address, said, format="json").status_code == 403
    api = api_client(operator)
    for _twice in range(2):
        answer = api.patch(address, said, format="json").json()
    assert (answer["owner"], answer["runbook"], answer["notes"]) == ("routing", said["runbook"], "call Ana")
    [entry] = AuditEntry.objects.filter(verb="function.kept")
    assert entry.source == "api" and entry.before == {"owner": "documents", "runbook": ""}
    for wrong in ({"memory_mb": 1}, {"runbook": "javascript:alert(1)"}, {"owner": "x" * 81}):
        assert api.patch(address, wrong, format="json").status_code == 400, wrong


def test_what_administrators_change_in_the_admin_is_on_the_audit_trail(
    make_function: Make, client_as: Callable[[User], Client], admin_user: User
) -> None:
    function = make_function("render", owner="documents")
    client = client_as(admin_user)
    form = {"owner": "routing", "capability": "", "runbook": "", "notes": "", "dispatch_limit": "3"}
    assert client.post(f"/admin/services_registry/function/{function.pk}/change/", form).status_code == 302
    entry = AuditEntry.objects.get(verb="function.changed")
    before, after = entry.before or {}, entry.after or {}
    assert (before["owner"], after["owner"], after["dispatch_limit"]) == ("documents", "routing", 3)
    form = {"name": "production", "role_arn": "", "external_id": "hush-4711", "regions": "[]", "active": "on"}
    assert client.post("/admin/services_registry/awsaccount/add/", form).status_code == 302
    entry = AuditEntry.objects.get(verb="aws_account.created")
    assert (entry.after or {})["name"] == "production" and AwsAccount.objects.get().external_id == "hush-4711"
    assert "hush-4711" not in str(entry.after), "secrets stay out of the audit trail"
