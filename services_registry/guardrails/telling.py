"""Who hears of findings and stops: the audit trail, tools by webhook, and people who can do something about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import record
from core.notifications import Kind, notify, register_kind, withdraw
from core.webhooks import emit, subscribed
from services_registry.choices import Severity
from services_registry.guardrails.rule import Rule
from services_registry.models import Finding, StopRecord

OPENED, CLOSED, STOPPED, RESTORED = "finding.opened", "finding.closed", "function.stopped", "function.restored"
FINDING_KIND, STOP_KIND = "finding", "stop"
register_kind(
    FINDING_KIND,
    Kind(
        gettext_lazy("finding"),
        "finding",
        "red",
        explained=gettext_lazy("a rule found something grave about a function"),
    ),
)
register_kind(
    STOP_KIND,
    Kind(gettext_lazy("stop"), "stop", "red", explained=gettext_lazy("a function was stopped or brought back")),
)


def tell_opened(row: Finding, rule: Rule, *, why: str) -> None:
    """`why`: new, again, worse (than when it was snoozed) or snooze_over."""
    words = rule.sentence(row.evidence)
    record(
        actor=None, verb=OPENED, target=row, source="system", summary=f"{row.function.name}: {words}", reason=why,
        after=_numbers(row),
    )  # fmt: skip
    if subscribed(OPENED):
        emit(OPENED, [{"finding": facts_of(row, rule), "why": why}])
    if row.severity == Severity.DANGER and not row.sample:
        text = f"{row.function.name}: {words}"
        notify(people_who_stop(), FINDING_KIND, text, reverse("finding-detail", args=[row.pk]), _key(row))


def tell_closed(row: Finding, rule: Rule) -> None:
    """Its evidence is gone. Whoever has not read of it need not any more."""
    record(actor=None, verb=CLOSED, target=row, source="system", summary=str(row), before=_numbers(row))
    if subscribed(CLOSED):
        emit(CLOSED, [{"finding": facts_of(row, rule)}])
    withdraw(_key(row))


def tell_stop(row: StopRecord, event: str, *, actor: Any) -> None:
    """A function was stopped or restored, every step of it. Whoever did it knows."""
    if subscribed(event):
        emit(event, [{"function": function_facts(row), "stop": stop_facts(row)}])
    words = (
        _("%(name)s was stopped by %(by)s: %(why)s")
        if event == STOPPED
        else _("%(name)s was restored by %(by)s: %(why)s")
    )
    why = row.reason if event == STOPPED else row.restore_reason
    address = reverse("function-detail", args=[row.function_id])
    text = words % {"name": row.function.name, "by": name_of(actor), "why": why}
    others = people_who_stop().exclude(pk=getattr(actor, "pk", None))
    notify(others, STOP_KIND, text, address, f"{event}:{row.pk}")


def name_of(actor: Any) -> str:
    return actor.get_username() if actor is not None and getattr(actor, "pk", None) else "system"


def people_who_stop() -> Any:
    """Active people who may stop functions."""
    may = Q(groups__permissions__codename="stop_function") | Q(user_permissions__codename="stop_function")
    return get_user_model().objects.filter(may | Q(is_superuser=True), is_active=True).distinct()


def facts_of(row: Finding, rule: Rule) -> dict[str, Any]:
    """A finding as tools get it."""
    return {
        "id": row.pk, "rule": row.rule, "severity": row.severity, "state": row.state, "function": row.function_id,
        "function_name": row.function.name, "region": row.function.region, "account": row.function.account,
        "owner": row.function.owner, "words": rule.sentence(row.evidence), "evidence": row.evidence,
        "money_usd": None if row.money_usd is None else f"{row.money_usd.normalize():f}", "opened": row.opened,
        "sample": row.sample,
    }  # fmt: skip


def function_facts(row: StopRecord) -> Mapping[str, Any]:
    function = row.function
    names = ("id", "name", "arn", "region", "account", "owner", "capability")
    return {name: getattr(function, name) for name in names}


def stop_facts(row: StopRecord) -> Mapping[str, Any]:
    names = (
        "id", "state", "reason", "stopped_by_name", "began", "stopped", "quiet_at", "former_reserved", "mappings",
        "restore_reason", "restored_by_name", "restored",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def _numbers(row: Finding) -> dict[str, Any]:
    money = None if row.money_usd is None else f"{row.money_usd.normalize():f}"
    return {"rule": row.rule, "severity": str(row.severity), "measure": row.measure, "money_usd": money}


def _key(row: Finding) -> str:
    return f"finding:{row.pk}:{row.opened.isoformat()}"
