"""Findings as pages show them: a rule's words around the numbers on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from core.audit import target_of
from core.charts import Figure
from core.models import AuditEntry
from services_registry.choices import TONES, FindingState
from services_registry.guardrails.rule import Rule, rules
from services_registry.models import Finding

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

LATEST = 30


@dataclass(frozen=True)
class Shown:
    """One finding with its rule's words."""

    row: Finding
    rule: Rule

    @property
    def sentence(self) -> str:
        return self.rule.sentence(self.row.evidence)

    @property
    def facts(self) -> list[tuple[_StrOrPromise, str]]:
        return self.rule.rows(self.row.evidence)

    @cached_property
    def figure(self) -> Figure | None:
        return self.rule.figure(self.row.evidence)

    @property
    def tone(self) -> str:
        return TONES[self.row.severity]

    @property
    def put_off(self) -> bool:
        return self.row.state == FindingState.SNOOZED

    @property
    def over(self) -> bool:
        return self.row.state == FindingState.CLOSED

    @property
    def state_tone(self) -> str:
        return TONES[self.row.state]


@dataclass(frozen=True, slots=True)
class RuleCount:
    rule: Rule
    count: int
    money: Decimal | None


def shown(rows: Iterable[Finding]) -> list[Shown]:
    """Those of rules that are there; a rule that was taken out has nobody to speak for it."""
    known = rules()
    return [Shown(row, known[row.rule]) for row in rows if row.rule in known]


def known_findings() -> QuerySet[Finding]:
    return Finding.objects.filter(rule__in=rules())


def counts_by_rule(findings: QuerySet[Finding]) -> list[RuleCount]:
    """How many, and how much money a month, by rule; the most money first. At most one for each rule and function."""
    rows = findings.order_by().values("rule").annotate(n=Count("pk"), money=Sum("money_usd"))
    counts = [RuleCount(rules()[row["rule"]], row["n"], row["money"]) for row in rows]
    return sorted(counts, key=lambda one: (-(one.money or Decimal(0)), -one.count))


def open_of(function_id: int) -> list[Shown]:
    """What is wrong with one function now, put off or not; the gravest first."""
    order = {"danger": 0, "warning": 1, "info": 2}
    rows = known_findings().filter(function=function_id).exclude(state=FindingState.CLOSED).select_related("function")
    return shown(sorted(rows, key=lambda row: (row.state, order[row.severity], -(row.money_usd or 0))))


def history_of(finding: Finding) -> Sequence[Any]:
    """What happened to it, latest first, from the audit trail."""
    entries = list(AuditEntry.objects.filter(target=target_of(finding)).order_by("-at", "-id")[:LATEST])
    for entry in entries:
        words: Any = entry
        words.words = _words_of(entry)
        words.why = entry.reason if entry.verb == "finding.snoozed" else ""
    return entries


def _words_of(entry: AuditEntry) -> str:
    words = {
        ("finding.opened", "new"): _("opened"),
        ("finding.opened", "again"): _("opened again: its evidence is back"),
        ("finding.opened", "snooze_over"): _("opened again: the snooze is over"),
        ("finding.opened", "worse"): _("opened again: it got markedly worse"),
        ("finding.closed", ""): _("closed: its evidence is gone"),
        ("finding.unsnoozed", ""): _("ended the snooze"),
    }
    if entry.verb == "finding.snoozed":
        return _("put it off until %(until)s") % {"until": str((entry.after or {}).get("until", ""))[:10]}
    return words.get((entry.verb, entry.reason), entry.verb)
