"""Badges of statuses and states, with the tones of `choices.py`."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING

from django import template
from django.db.models import F
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.templatetags.core_tags import badge
from shipments.choices import TONES, DocumentState, Status
from shipments.models import Shipment
from shipments.status.derive import AHEAD

if TYPE_CHECKING:
    from shipments.deliveries.course import Stop
    from shipments.timeline import Timeline

register = template.Library()


@register.filter
def status_badge(value: str) -> SafeString:
    if not value:
        return badge("", _("not classified"))
    return badge(value, Status(value).label if value in Status.values else value, TONES.get(value, "secondary"))


@register.simple_tag
def status_flags(shipment: Shipment) -> SafeString:
    """What to know beside the status: the latest code is not mapped; events dated ahead were left out (one query)."""
    flags = [badge("unmapped", _("not mapped"), "yellow")] if shipment.unmapped else []
    if shipment.events.filter(at__gt=F("received") + AHEAD).exists():
        flags.append(badge("ahead", _("event dated ahead left out"), "yellow"))
    return format_html_join("", " {}", ((flag,) for flag in flags))


@register.filter
def document_badge(value: str) -> SafeString:
    return badge(value, DocumentState(value).label, TONES.get(value, "secondary"))


@register.filter
def edit_query(timeline: Timeline, note: int) -> str:
    """The address that shows the same with this note as a form."""
    return timeline.asked.editing(note).query


@register.filter
def stop_time(stop: Stop) -> SafeString | str:
    """When a stop was reached, the exact time on hover; a promised day without a time stays a day."""
    if stop.at is None:
        return str(stop.absent)
    local = timezone.localtime(stop.at, UTC if stop.day_only else None)
    shown = formats.date_format(local, "D j M" if stop.day_only else "D j M, H:i")
    exact = local.strftime("%Y-%m-%d" if stop.day_only else "%Y-%m-%d %H:%M:%S %Z")
    stamp = exact if stop.day_only else stop.at.astimezone(UTC).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', stamp, exact, shown)


@register.filter
def kilograms(weight: Decimal) -> str:
    """`12.5 kg`: as many decimals as were stated."""
    return f"{weight.normalize():,f} kg"
