"""A function that runs all day: a small server that is always on would cost less."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import charts
from core.money import format_money
from core.templatetags.core_tags import number, percent
from services_registry.choices import Severity
from services_registry.function_facts import EXACT
from services_registry.guardrails.facts import BUSY_DAYS, SERVER, Measured
from services_registry.guardrails.rule import COMPANY, Evidence, Found, Limits, Rule, Threshold

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SINCE = date(2026, 11, 24)
HOURS_OF_MONTH = 730
NO_PRICE = gettext_lazy("USD a month of one small server, where the price book has none for the region")
SOURCE = "t4g.small (2 vCPU, 2 GB), Linux on demand, us-east-1: 0.0168 USD an hour x 730 h, without a disk"


class BusyAllDay(Rule):
    """The money is the difference: a month of these calls, less as many small servers as its busiest hour would need."""

    slug = "busy-all-day"
    title = gettext_lazy("Busy all day: a server would be cheaper")
    why = gettext_lazy(
        "Lambda is cheap for work that comes and goes. What runs hour after hour pays for every millisecond, and waits for "
        "its own network calls at full price; a small server that is always on costs the same whatever it does."
    )
    advice = (
        gettext_lazy(
            "Is it a loop that waits for messages? Let an event source mapping wait instead; waiting there is free."
        ),
        gettext_lazy("Does it mostly wait for others? Take more work in one call, or less memory."),
        gettext_lazy("Else move it to a container or a small server: the numbers here are the case for it."),
    )
    thresholds = (
        Threshold("busy_share", gettext_lazy("running for at least this share of a day"), Decimal("0.7"), SINCE, COMPANY),
        Threshold("least_days", gettext_lazy("on so many of the last 7 whole days"), Decimal(3), SINCE, COMPANY),
        Threshold("least_saving_usd", gettext_lazy("a server would save so many USD a month"), Decimal(5), SINCE, COMPANY),
        Threshold("server_usd", NO_PRICE, Decimal("12.264"), SINCE, SOURCE),
        Threshold("server_mb", gettext_lazy("MB of memory it has for calls"), Decimal(1536), SINCE, "2 GB less the system"),
        Threshold("server_cpus", gettext_lazy("calls that compute at once for each server"), Decimal(2), SINCE, "its vCPUs"),
    )  # fmt: skip
    question = gettext_lazy("For how much of each day was it running?")

    def look(self, facts: Measured, limits: Limits) -> Found | None:
        busy = [entry for entry in facts.busy if entry.share >= float(limits["busy_share"])]
        if len(busy) < limits["least_days"]:
            return None
        days = {entry.day for entry in busy}
        billed = sum((entry.billed_mb_ms for entry in facts.days if entry.day in days), Decimal(0))
        calls = sum(entry.calls for entry in busy)
        lambda_usd = facts.a_month(facts.cost(billed, calls), len(busy))
        if lambda_usd is None:
            return None
        peak = max(entry.peak for entry in busy)
        servers = _servers(peak, facts.function.memory_mb, limits)
        with localcontext(EXACT):
            hour = facts.usd_per_server_hour
            servers_usd = servers * (limits["server_usd"] if hour is None else hour * HOURS_OF_MONTH)
            saving = lambda_usd - servers_usd
        if saving < limits["least_saving_usd"]:
            return None
        evidence: Evidence = {
            "days": [{"day": entry.day.isoformat(), "share": round(entry.share, 3)} for entry in facts.busy],
            "busy_days": len(busy), "of_days": BUSY_DAYS, "least_days": int(limits["least_days"]), "calls": calls,
            "share": round(sum(entry.share for entry in busy) / len(busy), 3), "limit": float(limits["busy_share"]),
            "peak": round(peak, 1), "lambda_usd": f"{lambda_usd:f}", "servers": servers,
            "server_usd": f"{servers_usd:f}", "priced": hour is not None,
        }  # fmt: skip
        return Found(
            severity=Severity.WARNING, measure=float(saving), evidence=evidence, money_usd=saving,
            sample=any(entry.sample for entry in busy),
        )  # fmt: skip

    def sentence(self, evidence: Evidence) -> str:
        words = {
            "share": percent(evidence["share"], 0), "days": evidence["busy_days"], "servers": evidence["servers"],
            "lambda": format_money(Decimal(evidence["lambda_usd"]), estimate=True),
            "server": format_money(Decimal(evidence["server_usd"]), estimate=True),
        }  # fmt: skip
        return (
            _(
                "It ran for %(share)s of %(days)s days: %(lambda)s a month, against %(server)s for small servers "
                "(%(servers)s)."
            )
            % words
        )

    def rows(self, evidence: Evidence) -> list[tuple[_StrOrPromise, str]]:
        return [
            (gettext_lazy("Running"), _("%(share)s of the day, limit %(limit)s") % {
                "share": percent(evidence["share"], 0), "limit": percent(evidence["limit"], 0)}),
            (gettext_lazy("On"), _("%(n)s of the last %(of)s whole days, judged from %(least)s on") % {
                "n": evidence["busy_days"], "of": evidence["of_days"], "least": evidence["least_days"]}),
            (gettext_lazy("Sample"), _("%(n)s calls") % {"n": number(evidence["calls"])}),
            (gettext_lazy("At once in its busiest hour"), number(evidence["peak"])),
            (gettext_lazy("Lambda, a month like these days"), format_money(Decimal(evidence["lambda_usd"]), estimate=True)),
            (gettext_lazy("Small servers instead"), _("%(n)s x %(size)s: %(usd)s") % {
                "n": evidence["servers"], "size": SERVER, "usd": format_money(Decimal(evidence["server_usd"]))}),
            (gettext_lazy("Price of a server"), _("price book") if evidence["priced"] else _("from the limits below")),
            (gettext_lazy("Money"), _("the difference")),
        ]  # fmt: skip

    def figure(self, evidence: Evidence) -> charts.Figure | None:
        days = evidence["days"]
        shares = [entry["share"] * 100 for entry in days]
        figure = charts.bars([entry["day"] for entry in days], {"running": shares}, y_title=_("% of the day"))
        return charts.with_limit(figure, evidence["limit"] * 100, _("limit"))


def _servers(peak: float, memory_mb: int, limits: Limits) -> int:
    """Small servers for so many calls at once: by their memory, and by their processors. At least one."""
    by_memory = peak * memory_mb / float(limits["server_mb"])
    return max(1, math.ceil(max(by_memory, peak / float(limits["server_cpus"])) - 1e-9))
