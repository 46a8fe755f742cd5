"""/healthz says the process lives, /readyz tells the truth about what it needs, and a search survives a bad part."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from core import slots

pytestmark = pytest.mark.django_db


def test_alive_needs_no_login_and_no_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").json() == {"status": "ok"}


def test_ready_when_database_and_valkey_answer() -> None:
    answer = Client().get("/readyz").json()
    assert answer["checks"]["database"]["ok"]
    assert answer["checks"]["valkey"]["ok"]


def test_not_ready_names_the_part_without_its_address(settings: Any) -> None:
    settings.VALKEY_URL = "redis://127.0.0.1:1"
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert not answer.json()["checks"]["valkey"]["ok"]
    assert answer.json()["checks"]["database"]["ok"]
    assert "127.0.0.1" not in answer.content.decode()


def test_uncritical_failure_is_shown_but_keeps_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise RuntimeError("down")

    checks: slots.Slot[slots.HealthCheck] = slots.Slot()
    checks.register(slots.HealthCheck("extra", broken, critical=False))
    monkeypatch.setattr(slots, "health_checks", checks)
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert not answer.json()["checks"]["extra"]["ok"]


def test_failing_search_part_is_named_and_the_others_answer(
    viewer: User, client_as: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str, user: object, limit: int) -> Sequence[slots.SearchHit]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")
        return []

    def working(text: str, user: object, limit: int) -> Sequence[slots.SearchHit]:
        return [slots.SearchHit(title=f"hit {text} <b>", url="/x/", kind="things")]

    providers: slots.Slot[slots.SearchProvider] = slots.Slot()
    providers.register(slots.SearchProvider("broken part", broken, 1), slots.SearchProvider("things", working, 2))
    monkeypatch.setattr(slots, "search_providers", providers)
    page = client_as(viewer).get("/search/?q=abc").content.decode()
    assert "broken part" in page
    assert "hit abc &lt;b&gt;" in page
