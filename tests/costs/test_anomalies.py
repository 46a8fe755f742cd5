"""Unusual days are found, taken apart to the last digit, told once, and marked as explained by people."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.models import AuditEntry
from core.notices.models import Notice
from core.notifications import inbox
from core.webhooks import outbox
from costs.anomalies.choices import Part
from costs.anomalies.finding import look
from costs.anomalies.parts import DayUse, Prices, decompose
from costs.estimate import exact_sum
from costs.models import CostAnomaly, Price
from services_registry.models import Finding, Function, FunctionDay, FunctionRevision
from tests.costs.usage import GB_S, MB_MS, cost, usage

pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]
TODAY = timezone.now().date()
YESTERDAY = TODAY - timedelta(days=1)
WEEK = (100, 108, 105, 110, 120, 45, 30)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: Any) -> None:
    monkeypatch.setattr(outbox, "_send", lambda task, argument: None)


def usual(function: Function, *, weeks: int = 9, gb_s: int = 300_000) -> None:
    """Weeks of the same shape, up to the day before yesterday."""
    first = YESTERDAY - timedelta(weeks=weeks)
    usage(function, first, weeks * 7, lambda day: WEEK[day.weekday()], gb_s=gb_s)


def yesterday(function: Function, calls: int, gb_s: int, **fields: Any) -> None:
    mb_ms = Decimal(MB_MS) * gb_s
    given = {"billed_ms": int(mb_ms / function.memory_mb)} | fields
    FunctionDay.objects.create(function=function, day=YESTERDAY, invocations=calls, billed_mb_ms=mb_ms, **given)


def parts(row: CostAnomaly) -> dict[str, Decimal]:
    return {part["name"]: Decimal(part["amount"]) for part in row.parts}


def test_parts_add_up_to_the_difference_whatever_happened() -> None:
    dice = random.Random(20_261_124)

    def use() -> DayUse:
        calls = dice.choice([0, 1, 7, 1000, 10**7])
        errors = dice.randint(0, calls)
        timeouts, ms = dice.randint(0, errors), calls * dice.randint(1, 900_000)
        init = dice.randint(0, ms) if ms else 0
        sizes = ms * dice.choice([128, 512, 10_240]), ms * dice.choice([0, 0, 1536])
        return DayUse(*map(Decimal, (calls, errors, timeouts, init, ms, *sizes)))

    for _ in range(500):
        days = [use() for _day in range(dice.randint(1, 8))]
        day, then = use(), Prices(Decimal("2E-7"), GB_S, Decimal("3.67E-8"))
        now = dice.choice([then, Prices(Decimal("2.3E-7"), Decimal("0.0000195172"))])
        mean = exact_sum(then.value(one) for one in days) / len(days)
        delta = exact_sum([now.value(day), -mean])
        found = decompose(
            day,
            DayUse.mean(days),
            delta=delta,
            expected=mean,
            now=now,
            then=then,
            timeout_ms=dice.choice([3000, 900_000]),
        )
        assert exact_sum(found.values()) == delta


def test_the_cause_is_named_for_what_it_is(make_function: Make, admin_user: User) -> None:
    """Each function differs from its usual in one thing only."""
    weekday = WEEK[YESTERDAY.weekday()]
    gb_s = weekday * 3000
    names = ("calls", "failed", "duration", "memory", "timeouts")
    functions = {name: make_function(name, memory_mb=1024, timeout_s=900) for name in names}
    for function in functions.values():
        usual(function)
    yesterday(functions["calls"], weekday * 3, gb_s * 3)
    yesterday(functions["failed"], weekday * 3, gb_s * 3, errors=weekday * 2)
    yesterday(functions["duration"], weekday, gb_s * 3)
    yesterday(functions["memory"], weekday, gb_s * 2, billed_ms=gb_s * 1000)
    yesterday(functions["timeouts"], weekday, gb_s * 3, errors=weekday, timeouts=weekday)
    look(TODAY)
    found = {row.function.name: row for row in CostAnomaly.objects.all() if row.function}
    assert set(found) == set(names)
    for name in ("calls", "failed", "duration", "memory"):
        row = found[name]
        usually = cost(weekday, gb_s)
        assert row.expected == usually and row.actual - row.expected == row.delta == exact_sum(parts(row).values())
        assert next(iter(parts(row))) == name
        assert abs(parts(row)[name] - row.delta) < Decimal("1e-6"), (name, row.parts)
    row = found["timeouts"]
    assert exact_sum(parts(row).values()) == row.delta
    assert parts(row)["failed"] == -parts(row)["calls"] and row.facts["timeouts"] == [0, weekday]
    assert row.days >= 7


def test_time_outs_carry_the_time_they_took_over_a_usual_call(make_function: Make) -> None:
    function = make_function("stuck", memory_mb=1024, timeout_s=900)
    first = YESTERDAY - timedelta(weeks=9)
    usage(function, first, 63, lambda day: 1000, gb_s=100)  # 1,000 calls of one second
    billed = 900 * 1000 + 100 * 900_000  # 100 of them now run for 900 seconds
    yesterday(function, 1000, billed // 1000, errors=100, timeouts=100, billed_ms=billed)
    (row,) = look(TODAY)
    assert abs(parts(row)["timeouts"] - 100 * 899 * GB_S) < Decimal("1e-6")
    assert abs(parts(row)["calls"] + parts(row)["failed"]) < Decimal("1e-6"), "as many calls as ever"
    assert abs(parts(row).get("duration", Decimal(0))) < Decimal("1e-6")


def test_another_price_is_told_from_more_work(make_function: Make) -> None:
    function = make_function("priced", region="eu-west-1")
    usual(function)
    row = Price.objects.filter(region="eu-west-1", meter="gb_second", architecture="x86_64").get()
    row.pk, row.valid_from, row.usd = None, YESTERDAY, row.usd * 2
    row.save()
    weekday = WEEK[YESTERDAY.weekday()]
    yesterday(function, weekday, weekday * 3000)
    (found,) = look(TODAY)
    assert list(parts(found)) == [Part.PRICE] and parts(found)["price"] == found.delta == weekday * 3000 * GB_S


def test_usual_days_small_change_and_young_functions_are_left_alone(make_function: Make) -> None:
    weekday = WEEK[YESTERDAY.weekday()]
    steady, tiny, young = make_function("steady"), make_function("tiny"), make_function("young")
    for function in (steady, tiny):
        usual(function, gb_s=300_000 if function is steady else 300)
    yesterday(steady, int(weekday * 1.2), int(weekday * 3000 * 1.2))
    yesterday(tiny, weekday * 50, weekday * 3 * 50)
    usage(young, YESTERDAY - timedelta(days=4), 4, gb_s=1000)
    yesterday(young, 1000, 400_000)
    assert look(TODAY) == []
    fresh = make_function("fresh")
    yesterday(fresh, 10, 400_000)
    (found,) = look(TODAY)
    assert found.function == fresh and parts(found) == {"calls": found.delta} and found.days == 0


def test_it_is_told_once_with_its_parts_and_its_deploy_and_renewed_by_late_lines(
    make_function: Make, admin_user: User, client_as: Any
) -> None:
    function = make_function("renderer", memory_mb=1024, timeout_s=900)
    usual(function)
    weekday = WEEK[YESTERDAY.weekday()]
    noon = datetime.combine(YESTERDAY, time(12), UTC)
    FunctionRevision.objects.create(function=function, seen=noon, changes={"timeout_s": [30, 900]}, by="ana")
    yesterday(function, weekday, weekday * 9000)
    assert len(look(TODAY)) == 1 and look(TODAY) == []
    row = CostAnomaly.objects.get()
    notice = Notice.objects.get()
    assert notice.url == f"/costs/anomalies/{row.pk}/" and inbox(admin_user).count() == 1
    assert f"renderer cost ≈ ${row.delta:,.2f} more than usual" in notice.subject
    assert "It was changed then: timeout_s" in notice.text and "duration of calls: ≈" in notice.text
    FunctionDay.objects.filter(function=function, day=YESTERDAY).update(invocations=weekday * 2)
    look(TODAY)
    row.refresh_from_db()
    assert Notice.objects.count() == 1 and row.facts["calls"][1] == weekday * 2
    page = client_as(admin_user).get(f"/costs/anomalies/{row.pk}/").content.decode()
    assert "timeout_s" in page and "Duration of calls" in page and 'data-exact="' in page
    FunctionDay.objects.filter(function=function, day=YESTERDAY).update(
        invocations=weekday, billed_mb_ms=Decimal(MB_MS) * weekday * 3000
    )
    look(TODAY)
    row.refresh_from_db()
    assert row.state == "gone"


def test_today_is_only_looked_at_for_what_is_too_much_already(make_function: Make) -> None:
    quiet, wild = make_function("quiet"), make_function("wild")
    for function in (quiet, wild):
        usual(function)
        yesterday(function, WEEK[YESTERDAY.weekday()], WEEK[YESTERDAY.weekday()] * 3000)
    FunctionDay.objects.create(function=wild, day=TODAY, invocations=10, billed_mb_ms=Decimal(MB_MS) * 2_000_000)
    FunctionDay.objects.create(function=quiet, day=TODAY, invocations=1, billed_mb_ms=Decimal(MB_MS))
    (found,) = look(TODAY)
    assert (found.function, found.day) == (wild, TODAY)


def test_a_fall_is_kept_but_wakes_nobody(make_function: Make, admin_user: User) -> None:
    function = make_function("silent")
    usual(function)
    yesterday(function, 1, 1)
    (found,) = look(TODAY)
    assert found.delta < 0 and not Notice.objects.exists()


def test_people_explain_an_anomaly_and_lists_follow(
    make_function: Make, client_as: Any, viewer: User, operator: User, query_budget: Any
) -> None:
    weekday = WEEK[YESTERDAY.weekday()]
    for number in range(3):
        function = make_function(f"f-{number}")
        usual(function)
        yesterday(function, weekday * 4, weekday * 12_000)
    look(TODAY)
    rows = list(CostAnomaly.objects.all())
    client, reader = client_as(operator), client_as(viewer)
    with query_budget(8):
        text = reader.get("/costs/anomalies/").content.decode()
    assert text.count("calls that went well") == 3
    address = f"/costs/anomalies/{rows[0].pk}/dismiss/"
    assert reader.post(address, {"reason": "x"}).status_code == 403
    client.post(address, {"reason": " "})
    assert CostAnomaly.objects.filter(state="open").count() == 3
    client.post(address, {"reason": "Black Friday"})
    look(TODAY)
    rows[0].refresh_from_db()
    assert (rows[0].state, rows[0].reason) == ("dismissed", "Black Friday"), "looking again keeps what a person said"
    assert AuditEntry.objects.get(verb="anomaly.dismissed").reason == "Black Friday"
    assert reader.get("/costs/anomalies/").content.decode().count("calls that went well") == 2
    table = b"".join(reader.get("/costs/anomalies/?state=all&format=csv")).decode()
    assert "Black Friday" in table and len(table.splitlines()) == 4
    client.post(f"/costs/anomalies/{rows[0].pk}/reopen/")
    assert CostAnomaly.objects.filter(state="open").count() == 3
    assert "Nothing unusual here" in reader.get("/costs/anomalies/?state=gone").content.decode()


def test_findings_of_the_function_stand_beside_it(make_function: Make, client_as: Any, viewer: User) -> None:
    function = make_function("renderer", memory_mb=1024, timeout_s=900)
    usual(function)
    yesterday(function, WEEK[YESTERDAY.weekday()], WEEK[YESTERDAY.weekday()] * 9000)
    (row,) = look(TODAY)
    finding = Finding.objects.create(rule="busy-all-day", function=function, severity="warning", measure=0.9)
    assert (
        f'href="/functions/findings/{finding.pk}/"'
        in client_as(viewer).get(f"/costs/anomalies/{row.pk}/").content.decode()
    )
