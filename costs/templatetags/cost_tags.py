"""How exact amounts are written."""

from __future__ import annotations

from decimal import Decimal

from django import template

from costs.imports.shapes import plain as plain_text

register = template.Library()


@register.filter
def plain(value: Decimal) -> str:
    """All digits, no exponent."""
    return plain_text(value)
