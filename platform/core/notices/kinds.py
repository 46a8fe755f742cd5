"""What people are told of. An app registers its kinds at start-up; a kind is also what preferences are kept by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from core.notices.choices import Channel
from core.slots import WebhookEventKind, webhook_events

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class Kind:
    """How messages of one kind look (`tone` is one of the badge tones), and how people hear of them at first."""

    label: _StrOrPromise
    icon: str = "info"
    tone: str = "blue"
    channels: tuple[str, ...] = (Channel.INBOX,)
    explained: _StrOrPromise = ""


_kinds: dict[str, Kind] = {}


def register_kind(name: str, kind: Kind) -> None:
    """Say how a kind looks. A kind that nobody registered is shown under its name."""
    _kinds[name] = kind


def kind_of(name: str) -> Kind:
    return _kinds.get(name) or Kind(name)


def kinds() -> dict[str, Kind]:
    """All that are registered, by name."""
    return dict(sorted(_kinds.items()))


register_kind("mention", Kind(_("mention"), "message", explained=_("somebody wrote @ and your name in a note")))
MESSAGE = "notification.message"
"""The kind of webhook event by which people are told who want that."""
webhook_events.register(WebhookEventKind(MESSAGE, _("a person is told something, and wants it by webhook")))
