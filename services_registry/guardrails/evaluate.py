"""Holding every function against every rule, and what follows for the findings on record.

Doing it twice changes nothing: no second finding, event or audit entry; only `last_seen` moves on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from services_registry.choices import FindingState
from services_registry.guardrails.facts import FleetPackages, measure
from services_registry.guardrails.rule import Found, Limits, Rule, rules
from services_registry.guardrails.telling import tell_closed, tell_opened
from services_registry.guardrails.thresholds import limits_of
from services_registry.models import Finding, Function

logger = logging.getLogger(__name__)
AT_ONCE = 200
LOCK = 6_201_126
"""One evaluation at a time: the number of the advisory lock that says so."""
BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_NOTE = ("severity", "measure", "money_usd", "evidence", "sample")


@dataclass(slots=True)
class Evaluation:
    """What came of one round."""

    functions: int = 0
    holding: int = 0
    opened: int = 0
    closed: int = 0
    changed: int = 0
    failed: int = 0
    """Judgements that broke off: a fault in a rule. Its findings stay as they were, the other rules go on."""


def evaluate(
    functions: QuerySet[Function] | None = None, *, only: Iterable[Rule] | None = None, now: datetime | None = None
) -> Evaluation:
    """Look at these functions (usually all that are there) by these rules (usually all)."""
    moment = (now or timezone.now()).astimezone(UTC)
    looking = list(rules().values() if only is None else only)
    chosen = Function.objects.exclude(arn__startswith="local:") if functions is None else functions
    result, packages = Evaluation(), FleetPackages()
    keys = list(chosen.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), AT_ONCE):
        _evaluate_some(keys[start : start + AT_ONCE], looking, moment, packages, result)
    return result


def evaluate_after_timeouts(function_ids: Iterable[int], *, now: datetime | None = None) -> Evaluation:
    """The rules that cannot wait for the hour, for functions of which time-outs just came in."""
    there = Function.objects.filter(pk__in=list(function_ids)).exclude(arn__startswith="local:")
    return evaluate(there, only=[rule for rule in rules().values() if rule.after_timeouts], now=now)


@transaction.atomic
def _evaluate_some(
    keys: Sequence[int], looking: Sequence[Rule], now: datetime, packages: FleetPackages, result: Evaluation
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    limits = limits_of(looking, now.date())
    functions = list(Function.objects.filter(pk__in=keys).order_by("pk").defer("raw", "tags", "environment_names"))
    known = Finding.objects.select_for_update().filter(function__in=keys, rule__in=limits)
    on_record = {(row.rule, row.function_id): row for row in known}
    seen: list[int] = []
    for facts in measure(functions, now, packages):
        result.functions += 1
        for rule in looking:
            row = on_record.get((rule.slug, facts.function.pk))
            try:
                found = None if facts.function.gone else rule.look(facts, limits[rule.slug])
            except BROKEN:
                logger.exception("rule broke off rule=%s function=%s", rule.slug, facts.function.arn)
                result.failed += 1
                continue
            if found is not None:
                result.holding += 1
                seen.append(_take(row, rule, facts.function, found, limits[rule.slug], now, result).pk)
            elif row is not None and row.state != FindingState.CLOSED:
                row.function = facts.function
                _close(row, rule, now)
                result.closed += 1
    Finding.objects.filter(pk__in=seen).exclude(last_seen=now).update(last_seen=now)


def _take(
    row: Finding | None, rule: Rule, function: Function, found: Found, limits: Limits, now: datetime, result: Evaluation
) -> Finding:
    """The rule holds: a new finding, or the one on record with the numbers of now."""
    if row is None:
        row = Finding.objects.create(
            rule=rule.slug,
            function=function,
            opened=now,
            last_seen=now,
            **{name: getattr(found, name) for name in _NOTE},
        )
        tell_opened(row, rule, why="new")
        result.opened += 1
        return row
    row.function = function
    before = row.state
    why = _opens(row, found, limits, now)
    changed = [name for name in _NOTE if getattr(row, name) != getattr(found, name)]
    for name in changed:
        setattr(row, name, getattr(found, name))
    if why:
        row.state, row.closed, row.opened = FindingState.OPEN, None, now
        row.reopened += 1
        _forget_snooze(row)
    elif before == FindingState.CLOSED:  # it came back while people had put it off
        row.state, row.closed = FindingState.SNOOZED, None
    if changed or row.state != before:
        row.save()
        result.changed += 1
    if why:
        tell_opened(row, rule, why=why)
        result.opened += 1
    return row


def _opens(row: Finding, found: Found, limits: Limits, now: datetime) -> str:
    """Why a finding that is not open opens now; empty: it stays as it is."""
    if row.state == FindingState.OPEN:
        return ""
    if row.snoozed_until is None:
        return "again"
    if row.snoozed_until <= now:
        return "again" if row.state == FindingState.CLOSED else "snooze_over"
    worse = row.snoozed_measure is not None and found.measure >= row.snoozed_measure * float(limits["worse_factor"])
    return "worse" if worse and found.measure > (row.snoozed_measure or 0) else ""


def _forget_snooze(row: Finding) -> None:
    row.snoozed_until, row.snoozed_measure, row.snooze_reason, row.snoozed_by_name = None, None, "", ""


def _close(row: Finding, rule: Rule, now: datetime) -> None:
    row.state, row.closed = FindingState.CLOSED, now
    row.save(update_fields=["state", "closed"])
    tell_closed(row, rule)
