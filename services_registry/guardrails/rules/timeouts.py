"""More than a tenth of a day's calls ran into their time-out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import charts
from core.templatetags.core_tags import number, percent
from services_registry.choices import Severity
from services_registry.guardrails.facts import DayFacts, Measured
from services_registry.guardrails.rule import COMPANY, Evidence, Found, Limits, Rule, Threshold

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SHOWN_DAYS = 7
SINCE = date(2026, 11, 24)


class Timeouts(Rule):
    """Judged by today so far and by the last whole day with enough calls; so it closes after one whole day without."""

    slug = "timeouts"
    title = gettext_lazy("Calls run into the time-out")
    why = gettext_lazy(
        "A call that times out did its work in vain or not at all, and is billed for the whole time-out. Called "
        "asynchronously it is tried twice more, so one event bills up to three times."
    )
    advice = (
        gettext_lazy("Look at the latest invocations: what do the last lines of their logs wait for?"),
        gettext_lazy("Did a deploy or a change of settings come before the first one? Take it back."),
        gettext_lazy(
            "If it does not end by itself, stop the function. What runs cannot be ended, but nothing new begins."
        ),
        gettext_lazy(
            "If the work is simply longer than the time-out: give it in smaller portions rather than more time."
        ),
    )
    thresholds = (
        Threshold("share", gettext_lazy("more than this share of a day's calls timed out"), Decimal("0.1"), SINCE, COMPANY),
        Threshold("least_calls", gettext_lazy("judged from so many calls a day on"), Decimal(20), SINCE, COMPANY),
        Threshold("danger_share", gettext_lazy("grave from this share on"), Decimal("0.5"), SINCE, COMPANY),
    )  # fmt: skip
    question = gettext_lazy("How many calls of a day ran into the time-out?")
    after_timeouts = True
    stopping_helps = True

    def look(self, facts: Measured, limits: Limits) -> Found | None:
        shown = facts.since(SHOWN_DAYS)
        judged = _judged(shown, facts.today, int(limits["least_calls"]))
        over = [entry for entry in judged if entry.timeouts > limits["share"] * entry.calls]
        if not over:
            return None
        worst = max(over, key=lambda entry: entry.timeouts)
        billed = min(
            worst.billed_mb_ms, Decimal(worst.timeouts * facts.function.timeout_s * 1000 * facts.function.memory_mb)
        )
        grave = any(entry.timeouts >= limits["danger_share"] * entry.calls for entry in over)
        evidence: Evidence = {
            "days": [
                {"day": entry.day.isoformat(), "calls": entry.calls, "timeouts": entry.timeouts} for entry in shown
            ],
            "day": worst.day.isoformat(), "calls": worst.calls, "timeouts": worst.timeouts,
            "share": round(worst.timeout_share, 4), "limit": float(limits["share"]),
            "least_calls": int(limits["least_calls"]), "timeout_s": facts.function.timeout_s,
        }  # fmt: skip
        return Found(
            severity=Severity.DANGER if grave else Severity.WARNING,
            measure=float(worst.timeouts),
            evidence=evidence,
            money_usd=facts.a_month(facts.cost(billed, worst.timeouts), 1),
            sample=worst.sample,
        )

    def sentence(self, evidence: Evidence) -> str:
        return _("%(timeouts)s of %(calls)s calls on %(day)s timed out (%(share)s).") % {
            "timeouts": number(evidence["timeouts"]), "calls": number(evidence["calls"]), "day": evidence["day"],
            "share": percent(evidence["share"]),
        }  # fmt: skip

    def rows(self, evidence: Evidence) -> list[tuple[_StrOrPromise, str]]:
        return [
            (gettext_lazy("Day, UTC"), evidence["day"]),
            (gettext_lazy("Timed out"), f"{number(evidence['timeouts'])} ({percent(evidence['share'])})"),
            (gettext_lazy("Sample"), _("%(n)s calls, judged from %(least)s on") % {
                "n": number(evidence["calls"]), "least": evidence["least_calls"]}),
            (gettext_lazy("Limit"), percent(evidence["limit"])),
            (gettext_lazy("Time-out"), f"{evidence['timeout_s']} s"),
            (gettext_lazy("Money"), _("what the timed-out calls of that day cost, over 30 days like it")),
        ]  # fmt: skip

    def figure(self, evidence: Evidence) -> charts.Figure | None:
        days = evidence["days"]
        series = {
            "succeeded or failed": [entry["calls"] - entry["timeouts"] for entry in days],
            "timeouts": [entry["timeouts"] for entry in days],
        }
        return charts.bars([entry["day"] for entry in days], series, y_title=_("calls"))


def _judged(days: list[DayFacts], today: date, least: int) -> list[DayFacts]:
    """Today so far, and the last whole day: each only with enough calls."""
    enough = [entry for entry in days if entry.calls >= least]
    whole = [entry for entry in enough if entry.day < today]
    return [entry for entry in enough if entry.day == today] + whole[-1:]
