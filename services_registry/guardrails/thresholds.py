"""Which limits hold on a day: the latest entered one of each, else the rule's own default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from services_registry.guardrails.rule import Limits, Rule
from services_registry.models import RuleThreshold

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class Held:
    """One limit with where it comes from."""

    name: str
    label: _StrOrPromise
    value: Decimal
    since: date
    source: str

    @property
    def text(self) -> str:
        return f"{self.value.normalize():,f}"


def held_by(rule: Rule, on: date) -> list[Held]:
    """Every limit of a rule, for people."""
    entered = _entered([rule.slug], on)
    return [
        Held(row.name, row.label, *entered.get((rule.slug, row.name), (row.default, row.since, row.source)))
        for row in rule.all_thresholds
    ]


def limits_of(rules: Iterable[Rule], on: date) -> dict[str, Limits]:
    """The limits of several rules by slug; one query."""
    wanted = list(rules)
    entered = _entered([rule.slug for rule in wanted], on)
    return {
        rule.slug: {
            row.name: entered[rule.slug, row.name][0] if (rule.slug, row.name) in entered else row.default
            for row in rule.all_thresholds
        }
        for rule in wanted
    }


def _entered(slugs: list[str], on: date) -> dict[tuple[str, str], tuple[Decimal, date, str]]:
    rows = RuleThreshold.objects.filter(rule__in=slugs, valid_from__lte=on).order_by("valid_from")
    return {(row.rule, row.name): (row.value, row.valid_from, row.source) for row in rows}
