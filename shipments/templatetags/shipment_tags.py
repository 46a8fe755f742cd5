"""Badges of statuses and states, with the tones of `choices.py`."""

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.templatetags.core_tags import badge
from shipments.choices import TONES, DocumentState, Status

register = template.Library()


@register.filter
def status_badge(value: str) -> SafeString:
    if not value:
        return badge("", _("not classified"))
    return badge(value, Status(value).label if value in Status.values else value, TONES.get(value, "secondary"))


@register.filter
def document_badge(value: str) -> SafeString:
    return badge(value, DocumentState(value).label, TONES.get(value, "secondary"))
