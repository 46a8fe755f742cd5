"""System checks of the whole: secrets for serving, and slots that point to addresses which do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse

from core import slots


@register()
def secrets_are_set(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Serving needs both secrets; commands that skip system checks work without them."""
    if settings.DEBUG:
        return []
    missing = [name for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEY") if not _given(name)]
    if not missing:
        return []
    hint = "Set them in the environment (see .env.example), or start everything with `make run`, which makes its own."
    return [Error(f"{' and '.join(missing)} must not be empty.", hint=hint, id="core.E001")]


def _given(name: str) -> bool:
    try:
        return bool(getattr(settings, name))
    except ImproperlyConfigured:  # how Django answers for an empty SECRET_KEY
        return False


@register()
def slots_lead_somewhere(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A navigation entry, panel or alert whose address does not exist is left out of the page; say so."""
    found: list[CheckMessage] = []
    for slot in (slots.navigation, slots.home_panels, slots.alerts):
        for entry in slot:
            try:
                reverse(entry.url_name)
            except NoReverseMatch:
                message = f"{type(entry).__name__} names {entry.url_name!r}, which is no address without arguments."
                found.append(Warning(message, id="core.W001"))
    return found
