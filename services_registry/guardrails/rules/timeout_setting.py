"""A configured time-out that protects from nothing: above four minutes, or far above what calls need."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import charts
from core.formats import duration_ms_text
from core.money import format_money
from core.templatetags.core_tags import number
from services_registry.choices import Severity
from services_registry.guardrails.facts import DAYS, Measured
from services_registry.guardrails.rule import COMPANY, Evidence, Found, Limits, Rule, Threshold
from services_registry.telemetry.histogram import percentile

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SINCE = date(2026, 11, 24)
ROOM = 2  # times the p99: what a time-out could be
SHORTEST_S = 3


class TimeoutSetting(Rule):
    """The money is measured waste only: what calls that timed out were billed beyond twice the p99."""

    slug = "timeout-setting"
    title = gettext_lazy("The time-out is too long")
    why = gettext_lazy(
        "The time-out is the only thing that ends a call which hangs. Work above three to four minutes belongs into smaller "
        "portions or on a server; a time-out far above what calls need only makes every hanging call dear."
    )
    advice = (
        gettext_lazy("Set the time-out to about twice the p99 below, and watch the time-outs for a week."),
        gettext_lazy("If single calls really need minutes: split the work, so that each call does less."),
        gettext_lazy("If it cannot be split, a container or a small server is the right place for it."),
    )
    thresholds = (
        Threshold("longest_s", gettext_lazy("a configured time-out above so many seconds"), Decimal(240), SINCE, COMPANY),
        Threshold("far_factor", gettext_lazy("or from so many times the p99 on"), Decimal(10), SINCE, COMPANY),
        Threshold("far_from_s", gettext_lazy("the latter only for time-outs from so many seconds on"), Decimal(60), SINCE, COMPANY),
        Threshold("least_calls", gettext_lazy("p99 judged from so many calls in 14 days on"), Decimal(100), SINCE, COMPANY),
    )  # fmt: skip
    question = gettext_lazy("How far is the time-out from what calls need?")

    def look(self, facts: Measured, limits: Limits) -> Found | None:
        timeout_s = facts.function.timeout_s
        histogram = facts.durations(DAYS)
        calls = sum(histogram.values())
        enough = calls >= limits["least_calls"]
        p99 = percentile(histogram, 0.99) if enough else None
        factor = timeout_s * 1000 / p99 if p99 else None
        long = timeout_s > limits["longest_s"]
        far = factor is not None and factor >= limits["far_factor"] and timeout_s >= limits["far_from_s"]
        if not long and not far:
            return None
        timeouts = sum(entry.timeouts for entry in facts.days)
        better = min(timeout_s, max(SHORTEST_S, math.ceil(ROOM * p99 / 1000))) if p99 else None
        hung = Decimal(timeout_s * 1000 * facts.function.memory_mb)
        waste = Decimal((timeout_s - (better or timeout_s)) * 1000 * facts.function.memory_mb * timeouts)
        one = facts.cost(hung, 1)
        evidence: Evidence = {
            "timeout_s": timeout_s, "calls": calls, "days": DAYS, "p50_ms": percentile(histogram, 0.5) if enough else None,
            "p99_ms": p99, "factor": round(factor, 1) if factor else None, "better_s": better, "timeouts": timeouts,
            "hung_call_usd": None if one is None else f"{one:f}", "longest_s": int(limits["longest_s"]),
            "far_factor": float(limits["far_factor"]), "least_calls": int(limits["least_calls"]),
        }  # fmt: skip
        return Found(
            severity=Severity.WARNING if long and calls else Severity.INFO,
            measure=float(timeout_s),
            evidence=evidence,
            money_usd=facts.a_month(facts.cost(waste), DAYS) if enough else None,
            sample=any(entry.sample for entry in facts.days),
        )

    def sentence(self, evidence: Evidence) -> str:
        p99, factor = evidence["p99_ms"], evidence["factor"] or 0
        words = {
            "timeout": duration_ms_text(evidence["timeout_s"] * 1000), "p99": duration_ms_text(p99),
            "limit": duration_ms_text(evidence["longest_s"] * 1000), "factor": number(factor),
            "n": number(evidence["calls"]), "days": evidence["days"],
        }  # fmt: skip
        if p99 is None:
            few = _("The time-out is %(timeout)s; only %(n)s calls in %(days)s days, too few to say what it should be.")
            return few % words
        if p99 > evidence["longest_s"] * 1000:
            needed = _(
                "Calls may run for %(timeout)s and need it: 99 of 100 end within %(p99)s, which is beyond %(limit)s."
            )
            return needed % words
        if factor >= evidence["far_factor"]:
            far = _("The time-out is %(timeout)s, %(factor)s times what 99 of 100 calls need (%(p99)s).")
            return far % words
        return _("The time-out is %(timeout)s, above %(limit)s; 99 of 100 calls need %(p99)s.") % words

    def rows(self, evidence: Evidence) -> list[tuple[_StrOrPromise, str]]:
        better = evidence["better_s"]
        one = evidence["hung_call_usd"]
        return [
            (gettext_lazy("Configured time-out"), duration_ms_text(evidence["timeout_s"] * 1000)),
            (gettext_lazy("p50 · p99"), f"{duration_ms_text(evidence['p50_ms'])} · {duration_ms_text(evidence['p99_ms'])}"),
            (gettext_lazy("Sample"), _("%(n)s calls in %(days)s days, judged from %(least)s on") % {
                "n": number(evidence["calls"]), "days": evidence["days"], "least": evidence["least_calls"]}),
            (gettext_lazy("Time-outs in these days"), number(evidence["timeouts"])),
            (gettext_lazy("Twice the p99"), f"{better} s" if better else "–"),
            (gettext_lazy("One call that hangs costs"), format_money(Decimal(one) if one else None, estimate=True)),
            (gettext_lazy("Limits"), _("above %(s)s s, or %(factor)g times the p99") % {
                "s": evidence["longest_s"], "factor": evidence["far_factor"]}),
            (gettext_lazy("Money"), _("what timed-out calls were billed beyond twice the p99, over 30 days")),
        ]  # fmt: skip

    def figure(self, evidence: Evidence) -> charts.Figure | None:
        if evidence["p99_ms"] is None:
            return None
        seconds = [evidence["p50_ms"] / 1000, evidence["p99_ms"] / 1000, evidence["timeout_s"]]
        return charts.ranking(["p50", "p99", _("time-out")], seconds, x_title=_("seconds"))
