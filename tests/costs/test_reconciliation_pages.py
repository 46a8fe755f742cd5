"""The reconciliation page, one function's bridge, CSV, API, and reckoning anew."""

from __future__ import annotations

import csv
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from core.models import AuditEntry
from costs.models import Reconciliation
from costs.reconciliation.choices import Reason
from costs.reconciliation.refresh import reconcile
from services_registry.models import Function, FunctionDay
from tests.costs.focus_bill import LAMBDA, OCTOBER, line, take

pytestmark = pytest.mark.usefixtures("prices")
ClientAs = Callable[[User], Client]
Make = Callable[..., Function]


@pytest.fixture
def two(make_function: Make, tmp_path: Path) -> tuple[Function, Function]:
    """One that is explained by a discount, one of which the bill says twice what was seen."""
    explained, doubled = make_function("explained"), make_function("doubled")
    for function in (explained, doubled):
        FunctionDay.objects.create(function=function, day=OCTOBER, invocations=0, billed_mb_ms=1_024_000 * 10**6)
    usage: dict[str, Any] = {"service": LAMBDA, "unit": "Lambda-GB-Second"}
    listed, million = "16.6667", Decimal(10**6)
    take(tmp_path, [
        line("EU-Lambda-GB-Second", listed, resource=explained.arn, quantity=million, contracted=Decimal(15), **usage),
        line("EU-Lambda-GB-Second", "33.3334", resource=doubled.arn, quantity=million * 2, **usage),
    ])  # fmt: skip
    return explained, doubled


def test_without_a_bill_the_page_says_what_to_do(client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    text = client.get("/costs/reconciliation/").content.decode()
    assert "Nothing to hold estimates against yet" in text and "/costs/imports/" in text
    assert client.get("/costs/reconciliation/export.csv").status_code == 200
    assert client.get("/costs/reconciliation/999/").status_code == 404


def test_the_least_explained_comes_first_and_leads_to_its_bridge(
    two: tuple[Function, Function], client_as: ClientAs, viewer: User
) -> None:
    reconcile(OCTOBER)
    client = client_as(viewer)
    text = client.get("/costs/reconciliation/?month=2026-10").content.decode()
    assert text.index(">doubled<") < text.index(">explained<")
    for words in ("≈ $33.33", "$48.33", "Negotiated price", "-$1.67", "$16.67", "45.0 %"):
        assert words in text, words
    row = Reconciliation.objects.get(name="doubled")
    bridge = client.get(f"/costs/reconciliation/{row.pk}/").content.decode()
    assert "Unexplained rest" in bridge and "EU-Lambda-GB-Second" in bridge and "2,000,000" in bridge
    assert "nothing was shared out" in bridge
    assert client.get("/costs/reconciliation/?month=x&currency=YEN").status_code == 200


def test_csv_and_api_hold_the_same_exact_parts(
    two: tuple[Function, Function], client_as: ClientAs, api_client: Callable[[User], APIClient], viewer: User
) -> None:
    reconcile(OCTOBER)
    answer: Any = client_as(viewer).get("/costs/reconciliation/export.csv?month=2026-10")
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
    assert [row["function"] for row in rows] == ["doubled", "explained"]
    for row in rows:
        parts = [row["estimated"], *(row[reason.value] for reason in Reason), row["rest"]]
        assert sum(map(Decimal, parts)) == Decimal(row["billed"])
    client = api_client(viewer)
    told = client.get("/api/v1/costs/reconciliation/?month=2026-10").json()
    assert Decimal(told["billed"]) == Decimal("48.3334") and told["reasons"] == {"discount": "-1.6667"}
    assert [Decimal(row["rest"]) for row in told["results"]] == [Decimal("16.6667"), 0]
    Reconciliation.objects.all().delete()
    assert client.get("/api/v1/costs/reconciliation/").status_code == 404


def test_operators_reckon_anew_and_viewers_do_not(
    two: tuple[Function, Function], client_as: ClientAs, operator: User, viewer: User
) -> None:
    where = "/costs/reconciliation/again/"
    assert client_as(viewer).post(where, {"month": "2026-10"}).status_code == 403
    assert not Reconciliation.objects.exists()
    client = client_as(operator)
    assert "2 rows of 2026-10" in client.post(where, {"month": "2026-10"}, follow=True).content.decode()
    assert AuditEntry.objects.get(verb="costs.reconciled").actor == operator
    assert "No bill tells of that month" in client.post(where, {"month": "1999-01"}, follow=True).content.decode()


def test_the_page_costs_the_same_with_thirty_functions(
    two: tuple[Function, Function], make_function: Make, client_as: ClientAs, viewer: User,
    query_budget: Callable[[int], AbstractContextManager[None]],
) -> None:  # fmt: skip
    client = client_as(viewer)
    for count in (3, 30):
        for number in range(count):
            function = make_function(f"f-{count}-{number}")
            FunctionDay.objects.create(function=function, day=OCTOBER, invocations=1, billed_mb_ms=10**9)
        reconcile(OCTOBER)
        with query_budget(9):
            assert client.get("/costs/reconciliation/?month=2026-10").status_code == 200
