"""What becomes of calls while a function is stopped, by the way they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from services_registry.choices import OPEN_BATCHES, TONES, Severity
from services_registry.guardrails.live import Live
from services_registry.guardrails.running import batches_of
from services_registry.models import Function

RETRIES, AGE_S = 2, 21_600  # what Lambda does where nothing is set (AWS documentation, read 2026-11-23)
_KEPT = {
    "sqs": "Messages stay in the queue and count their retention (4 days unless it was changed); then they are deleted.",
    "kinesis": "Records stay in the stream until its retention ends (24 hours unless it was changed); then they are lost.",
    "dynamodb": "Changes stay in the table's stream for 24 hours; then they are lost.",
    "kafka": "Records stay in the topic until its retention ends.",
    "mq": "Messages stay in the broker's queue.",
}


@dataclass(frozen=True, slots=True)
class Consequence:
    """`code` is stable, for programs. `lost` says that calls may be lost."""

    code: str
    severity: Severity
    text: str

    @property
    def tone(self) -> str:
        return TONES[self.severity]

    @property
    def lost(self) -> bool:
        return self.severity == Severity.DANGER


def consequences_of(function: Function, live: Live) -> list[Consequence]:
    """The gravest first."""
    found = [
        *_asynchronous(live), *_sources(live), *_provisioned(function), *_own_batches(function),
        Consequence("sync_refused", Severity.INFO, _(
            "Whoever calls it synchronously (HTTP, other functions, this dashboard) gets the error 429 at once, and has to "
            "try again later by itself.")),
    ]  # fmt: skip
    order = [Severity.DANGER, Severity.WARNING, Severity.INFO]
    return sorted(found, key=lambda one: order.index(one.severity))


def _asynchronous(live: Live) -> list[Consequence]:
    """At a reserved concurrency of 0 AWS repeats no asynchronous event: it goes to where failed ones go, or is lost."""
    settings: dict[str, Any] = next(iter(live.async_settings), {})
    goes_to = [entry["on_failure"] for entry in live.async_settings if entry.get("on_failure")]
    goes_to += [live.dead_letter] if live.dead_letter else []
    words = {
        "retries": settings.get("retries", RETRIES), "hours": round(settings.get("max_age_s", AGE_S) / 3600, 1),
        "to": ", ".join(dict.fromkeys(goes_to)),
    }  # fmt: skip
    if goes_to:
        text = _(
            "Events sent asynchronously, also those that wait for one of their %(retries)s repetitions, go to %(to)s at "
            "once, without another try. Send them again from there after the restore."
        )
        return [Consequence("async_kept", Severity.WARNING, text % words)]
    text = _(
        "Events sent asynchronously are lost: there is no dead-letter queue and no on-failure destination. That holds for "
        "new ones and for those that wait for a repetition (%(retries)s tries more, up to %(hours)g hours)."
    )
    return [Consequence("async_lost", Severity.DANGER, text % words)]


def _sources(live: Live) -> list[Consequence]:
    kinds = sorted({(mapping["source"].split(":") + ["", "", ""])[2] for mapping in live.mappings})
    return [Consequence(f"source_{kind}", Severity.WARNING, _(_KEPT[kind])) for kind in kinds if kind in _KEPT]


def _provisioned(function: Function) -> list[Consequence]:
    environments = sum(int(entry.get("environments") or 0) for entry in function.provisioned)
    if not environments:
        return []
    text = _(
        "%(n)s environments are kept warm. AWS refuses a reserved concurrency below that: take the provisioned concurrency "
        "away first, it is billed while stopped as well."
    )
    return [Consequence("provisioned", Severity.WARNING, text % {"n": environments})]


def _own_batches(function: Function) -> list[Consequence]:
    if not (count := batches_of(function).filter(state__in=OPEN_BATCHES).count()):
        return []
    text = ngettext(
        "%(n)s batch of this dashboard is open on it: its calls will be refused, wait and be tried again.",
        "%(n)s batches of this dashboard are open on it: their calls will be refused, wait and be tried again.",
        count,
    )
    return [Consequence("own_batches", Severity.INFO, text % {"n": count})]
