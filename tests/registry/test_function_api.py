"""Functions, courses and invocations over REST; and the admin beside it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from costs.price_book import seed_prices
from services_registry.models import Function

ApiClient = Callable[[User], APIClient]
Make = Callable[..., Function]
Report = Callable[..., None]


def test_filters_mean_the_same_as_on_the_page(make_function: Make, api_client: ApiClient, viewer: User) -> None:
    make_function("labels-render", owner="documents")
    make_function("tracking", owner="tracking")
    rows = api_client(viewer).get("/api/v1/functions/?owner=documents").json()["results"]
    assert [row["name"] for row in rows] == ["labels-render"]


def test_the_series_gives_points_with_exact_cost(
    make_function: Make, report: Report, api_client: ApiClient, viewer: User
) -> None:
    seed_prices()
    function = make_function("labels-render", memory_mb=1024)
    report(function, count=2, billed_ms=900_000, status="timeout")
    answer = api_client(viewer).get(f"/api/v1/functions/{function.pk}/series/?range=30d").json()
    assert answer["step"] == "day"
    (point,) = answer["points"]
    assert (point["invocations"], point["timeouts"], point["sample"]) == (2, 2, False)
    assert Decimal(point["cost"]) == 2 * (900 * Decimal("0.0000166667") + Decimal("0.0000002"))


def test_an_unknown_range_is_refused(make_function: Make, api_client: ApiClient, viewer: User) -> None:
    function = make_function("labels-render")
    answer = api_client(viewer).get(f"/api/v1/functions/{function.pk}/series/?range=9y")
    assert answer.status_code == 400
    assert "range" in answer.json()["error"]["fields"]


def test_invocations_come_in_pages_and_by_status(
    make_function: Make, report: Report, api_client: ApiClient, viewer: User
) -> None:
    one, other = make_function("one"), make_function("other")
    report(one, count=5)
    report(one, status="timeout")
    report(other, count=3)
    client = api_client(viewer)
    first = client.get(f"/api/v1/invocations/?function={one.pk}&page_size=4").json()
    second = client.get(first["next"]).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (4, 2, None)
    timed_out = client.get("/api/v1/invocations/?status=timeout").json()["results"]
    assert [(row["function_name"], row["status"]) for row in timed_out] == [("one", "timeout")]


def test_the_api_cannot_write_functions(make_function: Make, api_client: ApiClient, operator: User) -> None:
    function = make_function("labels-render")
    assert api_client(operator).delete(f"/api/v1/functions/{function.pk}/").status_code == 405


def test_the_admin_edits_only_what_people_keep_by_hand(
    make_function: Make, client_as: Callable[[User], Client], admin_user: User
) -> None:
    function = make_function("labels-render")
    client = client_as(admin_user)
    address = f"/admin/services_registry/function/{function.pk}/change/"
    assert client.get(address).status_code == 200
    client.post(address, {"owner": "documents", "capability": "", "notes": "", "name": "other", "timeout_s": "1"})
    function.refresh_from_db()
    assert (function.owner, function.name, function.timeout_s) == ("documents", "labels-render", 30)
