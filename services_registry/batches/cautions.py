"""What a person should know before starting a batch. Each caution is one small function; none of them blocks a start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from core.aws.invoke import SYNC_PAYLOAD_LIMIT
from core.formats import bytes_text, duration_ms_text
from services_registry.batches.sizing import STORAGE
from services_registry.choices import ACTIVE_STOPS, OPEN_BATCHES, TONES, Severity
from services_registry.models import Batch, FreezeWindow, Function, FunctionHour, StopRecord
from services_registry.registry.runtimes import deprecation_of

if TYPE_CHECKING:
    from services_registry.batches.planned import Plan

MANY_ITEMS = 10_000
MANY_WAITING = 5
NEAR_TIMEOUT = 0.8
ENOUGH_INVOCATIONS = 20
ERROR_SHARE = 0.05
SOON = timedelta(days=90)
FREEZE_SOON = timedelta(hours=1)
LAST_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Caution:
    """`code` is stable, for programs; `text` is for people."""

    code: str
    severity: Severity
    text: str

    @property
    def tone(self) -> str:
        return TONES[self.severity]

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "severity": str(self.severity), "text": self.text}


def cautions_for(plan: Plan) -> list[Caution]:
    """All that hold for a plan, the gravest first."""
    now = timezone.now()
    found = [caution for check in _CHECKS if (caution := check(plan, plan.row, now))]
    order = [Severity.DANGER, Severity.WARNING, Severity.INFO]
    return sorted(found, key=lambda caution: order.index(caution.severity))


def unknown(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if row is not None:
        return None
    text = _("The registry does not know %(name)s yet, so its time-out, memory and cost are unknown.")
    return Caution("unknown", Severity.WARNING, text % {"name": plan.target.function_name})


def gone(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if row is None or row.gone is None:
        return None
    text = _("The last sync did not find %(name)s: calls will be rejected.") % {"name": row.name}
    return Caution("gone", Severity.DANGER, text)


def stopped(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if row is None or row.reserved_concurrency != 0:
        return None
    record = StopRecord.objects.filter(function=row, state__in=ACTIVE_STOPS).first()
    if record is None:
        text = _("%(name)s is stopped (reserved concurrency 0): calls will wait, and fail in the end.") % {
            "name": row.name
        }
        return Caution("stopped", Severity.DANGER, text)
    text = _("%(name)s was stopped by %(by)s (%(why)s): calls will wait, and fail in the end unless it is restored.")
    words = {"name": row.name, "by": record.stopped_by_name, "why": record.reason}
    return Caution("stopped", Severity.DANGER, text % words)


def held(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if plan.capacity.global_cap == 0:
        return Caution("held", Severity.DANGER, _("The engine's limit over everything is 0: nothing begins."))
    if plan.capacity.function_cap == 0:
        text = _("The limit of %(name)s is 0: nothing begins.") % {"name": plan.target.function_name}
        return Caution("held", Severity.DANGER, text)
    return None


def deprecated(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    found = deprecation_of(row.runtime) if row else None
    today = now.astimezone(UTC).date()
    if found is None or found.on > today + SOON:
        return None
    words = {"runtime": found.runtime, "on": found.on.isoformat(), "blocked": found.blocked.isoformat()}
    if found.on <= today:
        text = _(
            "Its runtime %(runtime)s is deprecated since %(on)s: it runs, but cannot be changed from %(blocked)s on."
        )
        return Caution("runtime_deprecated", Severity.WARNING, text % words)
    text = _("Its runtime %(runtime)s will be deprecated on %(on)s.")
    return Caution("runtime_soon_deprecated", Severity.INFO, text % words)


def freeze(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    window = FreezeWindow.objects.filter(starts__lte=now + FREEZE_SOON, ends__gt=now).order_by("starts").first()
    if window is None:
        return None
    ends = timezone.localtime(window.ends).strftime("%Y-%m-%d %H:%M %Z")
    words = {"name": window.name, "ends": ends, "reason": f" ({window.reason})" if window.reason else ""}
    if window.starts > now:
        words["starts"] = timezone.localtime(window.starts).strftime("%H:%M %Z")
        text = _("The freeze “%(name)s”%(reason)s begins at %(starts)s and lasts until %(ends)s.")
        return Caution("freeze_soon", Severity.WARNING, text % words)
    text = _("Changes rest until %(ends)s: “%(name)s”%(reason)s.")
    return Caution("freeze", Severity.WARNING, text % words)


def failing(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if row is None:
        return None
    since = (now - LAST_HOUR).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    sums: dict[str, Any] = FunctionHour.objects.filter(function=row, hour__gte=since, hour__lte=now).aggregate(
        n=Sum("invocations"), failed=Sum("errors")
    )
    invocations, failed = sums["n"] or 0, sums["failed"] or 0
    if invocations < ENOUGH_INVOCATIONS or failed / invocations <= ERROR_SHARE:
        return None
    text = _("%(share).0f %% of its invocations failed since %(since)s UTC (%(failed)d of %(n)d).") % {
        "share": failed / invocations * 100, "since": since.strftime("%H:%M"), "failed": failed, "n": invocations,
    }  # fmt: skip
    return Caution("failing", Severity.WARNING, text)


def near_timeout(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if not plan.timeout_s or not plan.chunk_seconds_p95 or plan.chunk_seconds_p95 <= NEAR_TIMEOUT * plan.timeout_s:
        return None
    words = {
        "seconds": duration_ms_text(plan.chunk_seconds_p95 * 1000),
        "timeout": duration_ms_text(plan.timeout_s * 1000),
    }
    text = _("A slow chunk may need %(seconds)s of the %(timeout)s the function has, and would then be tried in parts.")
    return Caution("near_timeout", Severity.WARNING, text % words)


def too_big(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if plan.chunked or plan.largest_chunk_bytes <= SYNC_PAYLOAD_LIMIT:
        return None
    text = _("A payload has %(bytes)s; a call takes at most %(limit)s. Put the data into object storage.")
    words = {"bytes": bytes_text(plan.largest_chunk_bytes), "limit": bytes_text(SYNC_PAYLOAD_LIMIT)}
    return Caution("payload_too_large", Severity.DANGER, text % words)


def storage(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if plan.size.handoff != STORAGE:
        return None
    return Caution("object_storage", Severity.INFO, _("Chunks are too big for a call and go through object storage."))


def busy(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    free = plan.capacity.free
    if free is None or not plan.capacity.limit or free >= plan.at_once:
        return None
    text = _("It wants %(n)d invocations at once, but only %(free)d are free now; the rest will wait.")
    return Caution("busy", Severity.WARNING, text % {"n": plan.at_once, "free": free})


def queue(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    waiting = Batch.objects.filter(function_name=plan.target.function_name, state__in=OPEN_BATCHES).count()
    if waiting <= MANY_WAITING:
        return None
    text = _("%(n)d batches are already open on %(name)s; they share its places.")
    return Caution("queue", Severity.WARNING, text % {"n": waiting, "name": plan.target.function_name})


def large(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if plan.items <= MANY_ITEMS:
        return None
    text = _("This is a large batch. It shares the function with smaller ones, which stay quick.")
    return Caution("large", Severity.INFO, text)


def no_dead_letter(plan: Plan, row: Function | None, now: datetime) -> Caution | None:
    if row is None or row.dead_letter:
        return None
    text = _(
        "%(name)s has no dead-letter queue. This batch needs none, its calls are synchronous; but events sent to the "
        "function asynchronously are lost after their last try, unless an on-failure destination is set in AWS."
    )
    return Caution("no_dead_letter", Severity.INFO, text % {"name": row.name})


_CHECKS: tuple[Callable[[Plan, Function | None, datetime], Caution | None], ...] = (
    gone, stopped, held, too_big, freeze, unknown, failing, near_timeout, busy, queue, deprecated, storage, large,
    no_dead_letter,
)  # fmt: skip
