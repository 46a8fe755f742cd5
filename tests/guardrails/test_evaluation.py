"""From evidence to findings: opened once, closed when it is gone, back when it is back, put off by people."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from core.audit import target_of
from core.models import AuditEntry, Notification
from core.webhooks.models import WebhookEvent, WebhookSubscription
from services_registry.guardrails.evaluate import evaluate, evaluate_after_timeouts
from services_registry.guardrails.facts import Measured
from services_registry.guardrails.rule import Found, Limits, rules
from services_registry.guardrails.rules.timeouts import Timeouts
from services_registry.guardrails.snoozing import FindingError, snooze, unsnooze
from services_registry.models import Finding, Function, FunctionDay, FunctionHour
from tests.guardrails.conftest import NOW

Make = Callable[..., Function]
Calls = Callable[..., None]
pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def failing(make_function: Make, calls: Calls) -> Function:
    """All of its 30 calls of today timed out."""
    function = make_function("failing")
    calls(function, 30, ms=30_000, status="timeout")
    return function


def the_finding() -> Finding:
    return Finding.objects.get()


def verbs() -> list[str]:
    entries = AuditEntry.objects.filter(target=target_of(the_finding())).order_by("pk")
    return [f"{entry.verb} {entry.reason}".strip() for entry in entries]


def heal(function: Function) -> None:
    """As if nothing had happened."""
    FunctionDay.objects.filter(function=function).delete()
    FunctionHour.objects.filter(function=function).delete()


def test_evaluated_twice_nothing_changes(failing: Function, ops_lead: User) -> None:
    hook = WebhookSubscription.objects.create(
        name="t", url="https://example.org/h", events=["finding.opened", "finding.closed"]
    )
    first = evaluate(now=NOW)
    assert (first.opened, first.holding, first.closed) == (1, 1, 0)
    before = Finding.objects.values().get()
    second = evaluate(now=NOW)
    assert (second.opened, second.changed, second.closed) == (0, 0, 0)
    assert Finding.objects.values().get() == before
    later = evaluate(now=NOW + timedelta(hours=1))
    assert (later.opened, later.changed) == (0, 0)
    assert Finding.objects.values().get() == before | {"last_seen": NOW + timedelta(hours=1)}
    assert verbs() == ["finding.opened new"]
    [event] = WebhookEvent.objects.filter(subscription=hook)
    assert event.data["finding"]["function_name"] == "failing" and event.data["why"] == "new"
    [told] = Notification.objects.filter(user=ops_lead)
    assert "30 of 30 calls" in told.text and told.url == f"/functions/findings/{the_finding().pk}/"


def test_closes_by_itself_and_opens_again(failing: Function, calls: Calls, ops_lead: User) -> None:
    evaluate(now=NOW)
    pk = the_finding().pk
    heal(failing)
    assert evaluate(now=NOW).closed == 1
    assert (the_finding().state, the_finding().closed) == ("closed", NOW)
    assert not Notification.objects.filter(user=ops_lead).exists(), "taken back from who has not read it"
    calls(failing, 30, ms=30_000, status="timeout")
    evaluate(now=NOW + timedelta(hours=1))
    row = the_finding()
    assert (row.pk, row.state, row.closed, row.reopened, row.opened) == (pk, "open", None, 1, NOW + timedelta(hours=1))
    assert verbs() == ["finding.opened new", "finding.closed", "finding.opened again"]


def test_a_snooze_ends_with_its_time(failing: Function, operator: User) -> None:
    evaluate(now=NOW)
    snooze(the_finding(), until=NOW + timedelta(days=1), reason="the new release mends it", actor=operator)
    assert evaluate(now=NOW).opened == 0
    row = the_finding()
    assert (row.state, row.snooze_reason, row.snoozed_by_name) == (
        "snoozed",
        "the new release mends it",
        operator.username,
    )
    assert evaluate(now=NOW + timedelta(days=1, seconds=1)).opened == 1
    assert (the_finding().state, the_finding().snoozed_until) == ("open", None)
    assert verbs()[-1] == "finding.opened snooze_over"


def test_it_comes_back_out_of_a_snooze_when_it_gets_markedly_worse(
    failing: Function, calls: Calls, operator: User
) -> None:
    evaluate(now=NOW)
    snooze(the_finding(), until=NOW + timedelta(days=20), reason="known", actor=operator)
    calls(failing, 14, ms=30_000, status="timeout")
    evaluate(now=NOW)
    assert the_finding().state == "snoozed" and the_finding().measure == 44, "less than half as much again"
    calls(failing, 1, ms=30_000, status="timeout")
    evaluate(now=NOW)
    assert the_finding().state == "open" and verbs()[-1] == "finding.opened worse"


def test_what_comes_back_while_it_is_put_off_stays_put_off(failing: Function, calls: Calls, operator: User) -> None:
    evaluate(now=NOW)
    snooze(the_finding(), until=NOW + timedelta(days=20), reason="known", actor=operator)
    heal(failing)
    evaluate(now=NOW)
    assert the_finding().state == "closed"
    calls(failing, 30, ms=30_000, status="timeout")
    assert evaluate(now=NOW).opened == 0 and the_finding().state == "snoozed"
    assert unsnooze(the_finding(), actor=operator).state == "open"
    assert unsnooze(the_finding(), actor=operator).state == "open", "twice changes nothing"
    assert verbs()[-1] == "finding.unsnoozed"


def test_snoozing_needs_a_reason_a_time_to_come_and_something_open(failing: Function, operator: User) -> None:
    evaluate(now=NOW)
    soon = NOW + timedelta(days=2)
    for until, reason in ((soon, " "), (NOW - timedelta(days=1), "x"), (NOW + timedelta(days=400), "x")):
        with pytest.raises(FindingError):
            snooze(the_finding(), until=until, reason=reason, actor=operator)
    heal(failing)
    evaluate(now=NOW)
    with pytest.raises(FindingError, match="closed"):
        snooze(the_finding(), until=soon, reason="x", actor=operator)
    assert verbs() == ["finding.opened new", "finding.closed"]


def test_functions_that_are_gone_have_no_findings(failing: Function) -> None:
    evaluate(now=NOW)
    Function.objects.update(gone=NOW)
    assert evaluate(now=NOW).closed == 1 and evaluate(now=NOW).holding == 0


def test_after_time_outs_only_the_rules_that_cannot_wait_look(failing: Function) -> None:
    Function.objects.update(code_bytes=262_000_000)
    result = evaluate_after_timeouts([failing.pk], now=NOW)
    assert (result.functions, result.opened, the_finding().rule) == (1, 1, "timeouts")


class Broken(Timeouts):
    """A rule with a fault in it."""

    slug = "broken"

    def look(self, facts: Measured, limits: Limits) -> Found | None:
        raise KeyError(facts.function.name)


def test_a_rule_with_a_fault_hinders_no_other(failing: Function, caplog: pytest.LogCaptureFixture) -> None:
    result = evaluate(only=[Broken(), *rules().values()], now=NOW)
    assert (result.failed, result.opened, the_finding().rule) == (1, 1, "timeouts")
    assert "rule broke off rule=broken" in caplog.text


def test_the_command_says_what_came_of_it(failing: Function, make_function: Make) -> None:
    make_function("fine")
    said = io.StringIO()
    call_command("evaluate_findings", stdout=said)
    assert json.loads(said.getvalue()) == {
        "functions": 2,
        "holding": 1,
        "opened": 1,
        "closed": 0,
        "changed": 0,
        "failed": 0,
    }
