"""Formatting in templates. Everything escapes; nothing writes an inline style or script (the CSP forbids both)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson
from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, escape, format_html, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core import charts, formats
from core.money import format_money
from core.people import mention_parts

register = template.Library()
TONES = frozenset({"green", "blue", "azure", "yellow", "orange", "red", "purple", "secondary"})
SHOWN_IN_TABLE = 400


@register.simple_tag
def badge(value: object, label: object = "", tone: str = "secondary") -> SafeString:
    """A status: words first, colour second. `tone` comes from the app's `choices.TONES`."""
    colour = tone if tone in TONES else "secondary"
    return format_html('<span class="badge tone-{}" data-value="{}">{}</span>', colour, value, label or value)


@register.simple_tag
def still(template_name: str) -> SafeString:
    """An include that shows the same to everybody on every page, written once in a process for each language."""
    return _still(template_name, get_language() or "")


@lru_cache(maxsize=256)
def _still(template_name: str, language: str) -> SafeString:
    return render_to_string(template_name)


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, label: str = "") -> SafeString:
    """A symbol of our sprite; decoration unless it has a label."""
    address = f"{static('core/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, address)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', address)


def age_text(moment: datetime, now: datetime, language: str | None = None) -> str:
    """`just now`, `5 min ago`, `in 2 h`, `3 days ago`; beyond 30 days the date.

    Args:
        language: the active one, where a list knows it already.
    """
    seconds = (now - moment).total_seconds()
    past, size = seconds >= 0, abs(seconds)
    if size >= 30 * 86_400:
        return timezone.localtime(moment).strftime("%Y-%m-%d")
    unit = next(unit for unit, limit in _UP_TO_S if size < limit)
    count = max(1, round(size / _SECONDS[unit]))
    return _age_words(unit, count, past, get_language() or "" if language is None else language)


_SECONDS = {"": 60, "min": 60, "h": 3600, "day": 86_400}
_UP_TO_S = (("", 45), ("min", 5400), ("h", 129_600), ("day", 30 * 86_400))


@lru_cache(maxsize=1024)
def _age_words(unit: str, count: int, past: bool, language: str) -> str:
    """Kept: fifty rows of a list ask for the same few words again and again."""
    if not unit:
        return _("just now") if past else _("in a moment")
    words = {"min": _("%d min"), "h": _("%d h"), "day": ngettext("%d day", "%d days", count)}
    return (_("%s ago") if past else _("in %s")) % (words[unit] % count)


@register.filter
def ago(moment: datetime | date | None) -> SafeString | str:
    """`<time datetime="…" title="exact, with the zone">3 h ago</time>`; `–` for none."""
    if moment is None:
        return formats.NO_VALUE
    if not isinstance(moment, datetime):
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), moment.isoformat())
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        age_text(moment, timezone.now()),
    )


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """The exact local time in a `<time>`, for details."""
    if value is None:
        return formats.NO_VALUE
    local = timezone.localtime(value)
    stamp = value.astimezone(UTC).isoformat(timespec="seconds")
    return format_html('<time datetime="{}">{}</time>', stamp, local.strftime("%Y-%m-%d %H:%M:%S %Z"))


@register.filter
def duration_ms(value: float | None) -> str:
    return formats.duration_ms_text(value)


@register.filter
def duration(value: timedelta | None) -> str:
    return formats.duration_ms_text(None if value is None else value.total_seconds() * 1000)


@register.filter(name="bytes")
def bytes_filter(value: float | None) -> str:
    return formats.bytes_text(value)


@register.simple_tag
def money(amount: Decimal | None, currency: str = "USD", estimate: bool = False) -> str:
    """`{% money cost "EUR" estimate=True %}`."""
    return format_money(amount, currency, estimate=estimate)


@register.filter
def usd(amount: Decimal | None) -> str:
    return format_money(amount, "USD")


@register.filter
def usd_estimate(amount: Decimal | None) -> str:
    return format_money(amount, "USD", estimate=True)


@register.filter
def number(value: float | None) -> str:
    """Thousands grouped; `–` for none (a gap is not a zero)."""
    if value is None:
        return formats.NO_VALUE
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


@register.filter
def figure_number(value: float | None) -> str:
    """A number of a chart: thousands grouped, small ones with five figures (a delivery costs fractions of a cent)."""
    if value is None or isinstance(value, int) or abs(value) >= 1_000:
        return number(value)
    text = f"{value:.5g}"
    return f"{value:.12f}".rstrip("0") if "e" in text else text


@register.filter
def percent(value: float | None, digits: int = 1) -> str:
    """A share (0 to 1) as `12.5 %`."""
    return formats.NO_VALUE if value is None else f"{float(value) * 100:.{int(digits)}f} %"


@register.simple_tag
def short_id(value: object, keep: int = 12) -> SafeString:
    """The id shortened in the middle, whole on hover, with a copy button."""
    text = str(value or "")
    if not text:
        return format_html("{}", formats.NO_VALUE)
    return format_html(
        '<span class="short-id"><code title="{}">{}</code>'
        '<button type="button" class="copy" data-copy="{}" aria-label="{}">{}</button></span>',
        text,
        formats.short_id_text(text, keep),
        text,
        _("Copy %s") % text,
        icon("copy"),
    )


@register.simple_tag
def copy_button(text: object, label: object) -> SafeString:
    """Copies `text`; `label` says to a screen reader what that is."""
    return format_html(
        '<button type="button" class="copy" data-copy="{}" aria-label="{}" title="{}">{}</button>',
        text, label, label, icon("copy"),
    )  # fmt: skip


@register.filter
def clock(value: datetime) -> SafeString:
    """`14:05` in a `<time>`, the exact moment on hover: where the day is said above."""
    local = timezone.localtime(value)
    stamp = value.astimezone(UTC).isoformat(timespec="seconds")
    exact = local.strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html('<time datetime="{}" title="{}">{}</time>', stamp, exact, local.strftime("%H:%M"))


@register.simple_tag
def sparkline(values: Sequence[float | None], label: str = "", width: int = 100, height: int = 24) -> SafeString:
    """A small line; `None` breaks it. Drawn by attributes, so that no inline style is needed."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return format_html('<span class="text-secondary">{}</span>', formats.NO_VALUE)
    top, step = max(*known, 0.0) or 1.0, (width - 4) / max(1, len(values) - 1)
    path, pen_down = [], False
    for place, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        x, y = 2 + place * step, height - 2 - (float(value) / top) * (height - 4)
        path.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        if not pen_down:
            path.append("l0.1 0")  # a lone point stays visible
        pen_down = True
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '<path d="{}"/></svg>',
        width,
        height,
        width,
        height,
        label or _("course of %d values, highest %s") % (len(values), f"{max(known):,.4g}"),
        " ".join(path),
    )


@register.filter
def note_text(text: str) -> SafeString:
    """A note in paragraphs as it was written, mentions marked."""
    parts = (
        format_html('<strong class="mention">{}</strong>', part) if mention else conditional_escape(part)
        for part, mention in mention_parts(text)
    )
    return mark_safe(linebreaks(mark_safe("".join(parts))))  # noqa: S308  # every part is escaped above


@register.simple_tag(takes_context=True)
def query_replace(context: Context, **changes: object) -> str:
    """The present query string with some parameters changed; `None` or "" drops one. Always leaves the cursor out.

    `<a href="{% query_replace sort="name" %}">`
    """
    query = context["request"].GET.copy()
    query.pop("cursor", None)
    for name, value in changes.items():
        key = name.rstrip("_")  # `from_=` for names that Python keeps for itself
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.inclusion_tag("components/chart.html")
def chart(
    figure: charts.Figure | None, title: str, source: str = "", name: str = "", step: str = "", links: str = ""
) -> dict[str, Any]:
    """A Plotly figure (see `core.charts`) under its question, with the same numbers as a table below.

    `source`: where the numbers come from and how old they are. `figure=None` or without data: the empty state.
    `step` (hour or day): zooming in changes the time range of the page. `links`: an address that, followed by an x, leads
    to what is behind that point; a click goes there, and so does the x in the table.
    """
    chart_id = f"chart-{name or uuid.uuid4().hex[:8]}"
    has_data = bool(figure and any(trace.get("x") or trace.get("x0") for trace in figure["data"]))
    headings, rows = charts.table_of(figure) if figure and has_data else ([], [])
    return {
        "chart_id": chart_id,
        "figure": _json_script(figure, f"{chart_id}-data") if figure and has_data else None,
        "title": title,
        "source": source,
        "headings": headings,
        "rows": _rows_html(rows[:SHOWN_IN_TABLE], links),
        "cut": len(rows) > SHOWN_IN_TABLE,
        "step": step,
        "links": links,
    }


_IN_SCRIPT = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def _json_script(figure: charts.Figure, element_id: str) -> SafeString:
    """Django's `json_script`, ten times as fast: a page has seven of them."""
    text = orjson.dumps(figure, default=str).decode().translate(_IN_SCRIPT)
    return format_html('<script id="{}" type="application/json">{}</script>', element_id, mark_safe(text))  # noqa: S308  # no character left that ends it


def _rows_html(rows: Sequence[Sequence[Any]], links: str) -> SafeString:
    """The rows of a chart's table, written out directly: over a year there are thousands of cells."""
    return mark_safe("".join([  # noqa: S308  # every value is escaped or a number
        f'<tr><th scope="row">{_row_head(at, links)}</th>{"".join([_number_cell(value) for value in values])}</tr>'
        for at, *values in rows
    ]))  # fmt: skip


def _row_head(at: Any, links: str) -> str:
    shown = escape(str(at))
    return f'<a href="{escape(links + quote(str(at)))}#invocations">{shown}</a>' if links else shown


def _number_cell(value: float | None) -> str:
    return f'<td class="num">{figure_number(value)}</td>'


@register.inclusion_tag("components/progress.html")
def progress(
    done: int, total: int, failed: int = 0, label: str = "", eta: str = "", final: bool = False
) -> dict[str, Any]:
    """A bar with its numbers. `final` ends the percentage in the tab's title. `eta` is a ready text."""
    whole = max(1, total)
    settled = done + failed
    return {
        "done": done,
        "failed": failed,
        "total": total,
        "settled": settled,
        "percent": 100 if settled >= total else min(99, settled * 100 // whole),
        "done_width": f"{done * 100 / whole:.2f}",
        "failed_width": f"{failed * 100 / whole:.2f}",
        "label": label or _("progress"),
        "eta": eta,
        "final": final,
    }
