"""Budgets are held against kept sums; who passes a threshold is told of once, by the person's own ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.errors import RefusedError
from core.models import AuditEntry
from core.notices.models import Notice, NoticeDelivery, NoticePreference
from core.notifications import inbox
from core.tasks import send_notices
from core.webhooks import outbox, services
from core.webhooks.models import WebhookEvent
from costs import sums
from costs.budgets.services import create_budget
from costs.budgets.standing import standings
from costs.budgets.watching import watch
from costs.models import Budget, BudgetAlert, ExchangeRate
from services_registry.models import Function
from tests.core.mail_sink import Sink, body_of, catching_mail, use_sink
from tests.costs.usage import cost, usage

pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]
TODAY = timezone.now().date()
MONTH = TODAY.replace(day=1)


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with catching_mail() as started:
        use_sink(settings, started)
        yield started


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: Any) -> None:
    monkeypatch.setattr(outbox, "_send", lambda task, argument: None)


def past(function: Function, *, gb_s: int, days: int = 150) -> None:
    usage(function, TODAY - timedelta(days=days), days + 1, gb_s=gb_s)


def budget(admin: User, amount: int, **fields: Any) -> Budget:
    given: dict[str, Any] = {
        "name": "Labels",
        "scope": "capability",
        "key": "labels",
        "currency": "USD",
        "thresholds": [50, 80, 100],
    }
    return create_budget(actor=admin, **(given | {"amount": Decimal(amount), "people": []} | fields))


def test_each_scope_counts_its_own_to_the_last_digit(make_function: Make, admin_user: User) -> None:
    past(make_function("a", capability="labels", owner="documents"), gb_s=60_000)
    past(make_function("b", capability="tracking", owner="documents", account="210987654321"), gb_s=6_000)
    sums.refresh_late()
    spent_days = TODAY.day
    each, small = cost(100, 60_000), cost(100, 6_000)
    wanted = {
        ("capability", "labels"): each, ("owner", "documents"): each + small, ("account", "210987654321"): small,
        ("all", ""): each + small, ("capability", "nothing"): Decimal(0),
    }  # fmt: skip
    for number, (scope, key) in enumerate(wanted):
        budget(admin_user, 1000, name=f"b{number}", scope=scope, key=key)
    found = {(one.budget.scope, one.budget.key): one.spent for one in standings(Budget.objects.all(), TODAY)}
    assert found == {place: amount * spent_days for place, amount in wanted.items()}
    ExchangeRate.objects.create(currency="EUR", valid_from=TODAY, per_usd=Decimal("0.5"), source="test")
    sums.refresh()
    euros = budget(admin_user, 10, name="euros", currency="EUR")
    (one,) = standings([euros], TODAY)
    assert one.spent == each * (spent_days - 1) * Decimal("0.87") + each / 2


def test_a_threshold_is_told_once_a_month_however_often_it_is_looked_at(
    make_function: Make, admin_user: User, viewer: User, sink: Sink
) -> None:
    past(make_function("a", capability="labels"), gb_s=60_000)
    sums.refresh_late()
    spent = cost(100, 60_000) * TODAY.day
    tool, _secret = services.create_subscription(
        name="tool", url="https://example.com/", events=["cost.budget_alert"], actor=None
    )
    kept = budget(admin_user, int(spent / Decimal("0.85")), people=[viewer.username], tell_forecast=False)
    User.objects.filter(pk=viewer.pk).update(email="ana@example.com")
    assert [watch(TODAY), watch(TODAY)] == [2, 0]
    send_notices()
    (letter,) = sink.letters
    assert "80 % of the budget" in letter["Subject"] and "Spent so far: ≈ $" in body_of(letter)
    assert f"/costs/budgets/{kept.pk}/" in body_of(letter) and not inbox(admin_user)
    assert set(kept.alerts.values_list("threshold", flat=True)) == {50, 80}
    event = WebhookEvent.objects.get(subscription=tool)
    assert event.data["threshold_percent"] == 80 and Decimal(event.data["spent"]) == spent
    Budget.objects.filter(pk=kept.pk).update(amount=int(spent) - 1)
    assert [watch(TODAY), watch(TODAY)] == [1, 0]
    assert NoticeDelivery.objects.filter(notice__severity="critical", channel="email").count() == 1
    BudgetAlert.objects.update(month=(MONTH - timedelta(days=1)).replace(day=1))
    assert watch(TODAY) == 3, "a new month begins anew"


def test_the_forecast_warns_before_the_money_is_gone(make_function: Make, admin_user: User, viewer: User) -> None:
    past(make_function("a", capability="labels"), gb_s=60_000)
    sums.refresh_late()
    length = ((MONTH + timedelta(days=31)).replace(day=1) - MONTH).days
    whole = cost(100, 60_000) * length
    kept = budget(admin_user, int(whole) - 1, thresholds=[], people=[viewer.username])
    (one,) = standings([kept], TODAY)
    if one.standing == "over":  # the last day of a month
        pytest.skip("nothing is left to forecast today")
    assert one.standing == "likely_over" and one.forecast and abs(one.forecast.total - whole) < 1
    assert watch(TODAY) == 1 and watch(TODAY) == 0
    assert "will be over its budget" in inbox(viewer).get().text
    NoticePreference.objects.create(user=viewer, topic="budget", channels=[])
    BudgetAlert.objects.all().delete()
    Notice.objects.all().delete()
    assert watch(TODAY) == 1 and not Notice.objects.exists(), "told to nobody who does not want it"


def test_budgets_without_a_rate_or_switched_off_are_not_watched(make_function: Make, admin_user: User) -> None:
    past(make_function("a", capability="labels"), gb_s=60_000, days=20)
    ExchangeRate.objects.all().delete()
    sums.refresh_late()
    budget(admin_user, 1, currency="EUR")
    budget(admin_user, 1, name="off", active=False)
    assert {one.standing for one in standings(Budget.objects.filter(currency="EUR"), TODAY)} == {"unknown"}
    assert watch(TODAY) == 0


def test_administrators_keep_budgets_on_pages_and_others_look(
    make_function: Make, client_as: Any, admin_user: User, operator: User, query_budget: Any
) -> None:
    past(make_function("a", capability="labels"), gb_s=60_000)
    sums.refresh_late()
    admin, other = client_as(admin_user), client_as(operator)
    assert "No budgets yet" in other.get("/costs/budgets/").content.decode()
    said = {"name": "Labels", "scope": "capability", "key": "labels", "amount": "900", "currency": "USD",
            "thresholds": "50, 80, 100 %", "people": f"@{operator.username}", "tell_forecast": "on", "active": "on"}  # fmt: skip
    assert other.post("/costs/budgets/new/", said).status_code == 403
    made = admin.post("/costs/budgets/new/", said)
    kept = Budget.objects.get()
    assert made["Location"] == f"/costs/budgets/{kept.pk}/" and kept.thresholds == [50, 80, 100]
    assert kept.people == [operator.username]
    for wrong in ({"key": ""}, {"amount": "0"}, {"thresholds": "eighty"}, {"people": "nobody"}, {"name": "Other"}):
        answer = admin.post("/costs/budgets/new/", said | wrong)
        assert answer.status_code == 400 and re.search("correction", answer.content.decode()), wrong
    page = other.get(f"/costs/budgets/{kept.pk}/").content.decode()
    assert "How good were earlier forecasts?" in page and "Delete" not in page
    with query_budget(8):
        assert "Labels" in other.get("/costs/budgets/").content.decode()
    table = b"".join(other.get("/costs/budgets/?format=csv")).decode().splitlines()
    assert table[1].startswith("Labels,capability,labels,900.00,USD,")
    admin.post(f"/costs/budgets/{kept.pk}/edit/", said | {"amount": "950"})
    kept.refresh_from_db()
    assert kept.amount == 950
    admin.post(f"/costs/budgets/{kept.pk}/delete/")
    verbs = list(AuditEntry.objects.filter(verb__startswith="budget.").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["budget.created", "budget.changed", "budget.deleted"] and not Budget.objects.exists()


def test_the_same_scope_has_one_budget(admin_user: User) -> None:
    budget(admin_user, 10)
    with pytest.raises(RefusedError, match="for the same"):
        budget(admin_user, 20, name="Again")
    with pytest.raises(RefusedError, match="this name"):
        budget(admin_user, 20, key="other")
    assert Budget.objects.count() == 1
