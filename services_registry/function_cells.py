"""The rows of the registry list as HTML, written out directly: only the chosen columns, every value escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core import formats
from core.money import format_money
from core.templatetags.core_tags import badge, number, percent, sparkline
from core.timerange import TimeRange
from services_registry.function_columns import COLUMNS, MINIMUM_SAMPLE
from services_registry.function_facts import FunctionFacts


def rows_html(facts: Iterable[FunctionFacts], names: Sequence[str], period: TimeRange, *, ticks: bool) -> SafeString:
    """The content of `<tbody>`; `names` begins with the name."""
    suffix = f"?{period.query}"
    heads = [
        (CELLS[name], escape(str(COLUMNS[name].label)), "num" if COLUMNS[name].numeric else "") for name in names[1:]
    ]
    label = escape(str(COLUMNS["name"].label))
    return mark_safe("".join(  # noqa: S308  # every value was escaped
        f"<tr>{_tick(entry) if ticks else ''}<th scope=\"row\" data-label=\"{label}\"><span>{_name(entry, suffix)}</span></th>"
        + "".join(f'<td class="{kind}" data-label="{head}">{cell(entry)}</td>' for cell, head, kind in heads)
        + "</tr>"
        for entry in facts
    ))  # fmt: skip


def _tick(entry: FunctionFacts) -> str:
    return (
        f'<td class="tick"><input type="checkbox" class="form-check-input" name="keys" value="{entry.function.pk}" data-select'
        f' aria-label="{escape(entry.function.name)}"></td>'
    )


def _name(entry: FunctionFacts, suffix: str) -> str:
    function = entry.function
    flag = ""
    if function.gone:
        flag = f" {badge('gone', _('gone'))}"
    elif function.reserved_concurrency == 0:
        flag = f" {badge('stopped', _('stopped'), 'red')}"
    address = escape(reverse("function-detail", args=[function.pk]) + suffix)
    return f'<a class="text-nowrap" href="{address}">{escape(function.name)}</a>{flag}'


def _text(name: str) -> Callable[[FunctionFacts], str]:
    return lambda entry: escape(str(getattr(entry.function, name) or formats.NO_VALUE))


def _invocations(entry: FunctionFacts) -> str:
    if not entry.from_metrics:
        return number(entry.invocations)
    why = _("no REPORT line came in; this is CloudWatch's count")
    return format_html(
        '{} <span class="text-secondary" title="{}">{}</span>', number(entry.invocations), why, _("metrics")
    )


def _errors(entry: FunctionFacts) -> str:
    if entry.error_share is None:
        return formats.NO_VALUE
    known = (entry.invocations or 0) >= MINIMUM_SAMPLE
    return format_html(
        '<span{} title="{}">{}</span>{}',
        mark_safe(' class="text-danger"') if entry.errors and known else "",
        _("%(e)s of %(n)s calls") % {"e": number(entry.errors), "n": number(entry.invocations)},
        percent(entry.error_share), _few(entry.invocations) if not known else "",
    )  # fmt: skip


def _few(sample: int | None) -> SafeString:
    return format_html(' <span class="text-secondary">{}</span>', _("of only %(n)s") % {"n": sample})


def _timeouts(entry: FunctionFacts) -> str:
    if not entry.timeouts:
        return number(entry.timeouts)
    of = _("%(share)s of %(n)s calls") % {"share": percent(entry.timeout_share), "n": number(entry.invocations)}
    return format_html('<span class="text-danger" title="{}">{}</span>', of, number(entry.timeouts))


def _cold(entry: FunctionFacts) -> str:
    if entry.cold_share is None:
        return formats.NO_VALUE
    few = "" if (entry.invocations or 0) >= MINIMUM_SAMPLE else _few(entry.invocations)
    return format_html('<span title="{}">{}</span>{}', number(entry.cold_starts), percent(entry.cold_share), few)


def _change(entry: FunctionFacts) -> str:
    if entry.change is None:
        return formats.NO_VALUE
    share = percent(entry.change + 0.0, 0).replace("-0 %", "0 %")
    sign = "+" if entry.change > 0 else ""
    before = _("%(n)s in the period before") % {"n": number(entry.before_invocations)}
    return format_html('<span title="{}">{}{}</span>', before, sign, share)


def _memory(entry: FunctionFacts) -> str:
    used = _("%(mb)s MB used at most") % {"mb": number(entry.max_memory_mb)}
    of = _("of %(mb)s MB") % {"mb": entry.function.memory_mb}
    share = percent(entry.memory_share, 0)
    return format_html(
        '<span><span title="{}">{}</span> <span class="text-secondary">{}</span></span>', used, share, of
    )


def _duration(name: str) -> Callable[[FunctionFacts], str]:
    return lambda entry: formats.duration_ms_text(entry.percentiles.get(name))


CELLS: dict[str, Callable[[FunctionFacts], str]] = {
    "runtime": _text("runtime"), "owner": _text("owner"), "capability": _text("capability"), "region": _text("region"),
    "account": _text("account"), "invocations": _invocations, "throttles": lambda entry: number(entry.throttles),
    "counted_by": lambda entry: escape(str(entry.counted_by) or formats.NO_VALUE), "change": _change,
    "course": lambda entry: sparkline(entry.spark), "errors": _errors, "timeouts": _timeouts, "cold_starts": _cold,
    "p50": _duration("p50"), "p95": _duration("p95"), "p99": _duration("p99"), "memory": _memory,
    "timeout": lambda entry: f"{entry.function.timeout_s} s",
    "size": lambda entry: formats.bytes_text(entry.function.code_bytes),
    "kind": lambda entry: escape(str(entry.function.get_kind_display())),
    "cost": lambda entry: format_money(entry.cost, "USD", estimate=True),
}  # fmt: skip
