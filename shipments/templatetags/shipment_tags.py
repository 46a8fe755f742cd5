"""Badges of statuses and states, with the tones of `choices.py`."""

from django import template
from django.db.models import F
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.templatetags.core_tags import badge
from shipments.choices import TONES, DocumentState, Status
from shipments.models import Shipment
from shipments.status.derive import AHEAD

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
