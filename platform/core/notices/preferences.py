"""What a person says about messages to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import record
from core.models import Preference
from core.notices.choices import Channel
from core.notices.kinds import kinds
from core.notices.models import NoticePreference


def chosen_ways(user: Any) -> dict[str, list[str]]:
    """The ways of every kind there is, as this person has them now. One query."""
    said = dict(NoticePreference.objects.filter(user=user).values_list("topic", "channels"))
    return {name: list(said.get(name, kind.channels)) for name, kind in kinds().items()}


@transaction.atomic
def save_preferences(
    user: Any,
    *,
    ways: Mapping[str, Sequence[str]] | None = None,
    email: str | None = None,
    quiet_from: time | None = None,
    quiet_to: time | None = None,
    urgent_in_quiet: bool = False,
    source: str = "page",
) -> None:
    """Keep how a person wants to hear of things; kinds that `ways` does not name stay as they are.

    Raises:
        ValidationError: an unknown kind or way, a bad address, or one end of the quiet hours without the other.
    """
    wrong = _wrong(ways or {}, email, quiet_from, quiet_to)
    if wrong:
        raise ValidationError(wrong)
    before = {"ways": chosen_ways(user), "email": user.email}
    if email is not None and email != user.email:
        user.email = email
        user.save(update_fields=["email"])
    quiet = {"quiet_from": quiet_from, "quiet_to": quiet_to, "urgent_in_quiet": urgent_in_quiet}
    Preference.objects.update_or_create(user=user, defaults=quiet)
    for topic, channels in (ways or {}).items():
        known = [way for way in Channel.values if way in channels]
        NoticePreference.objects.update_or_create(user=user, topic=topic, defaults={"channels": known})
    after = {"ways": chosen_ways(user), "email": user.email, "quiet": [_clock(quiet_from), _clock(quiet_to)]}
    record(actor=user, verb="notifications.chosen", target=user, source=source, before=before, after=after)


def _wrong(
    ways: Mapping[str, Sequence[str]], email: str | None, quiet_from: time | None, quiet_to: time | None
) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if unknown := sorted(set(ways) - set(kinds())):
        wrong["ways"] = _("There is no kind of message called %(name)s.") % {"name": ", ".join(unknown)}
    elif any(way not in Channel.values for channels in ways.values() for way in channels):
        wrong["ways"] = _("Choose from: %(known)s.") % {"known": ", ".join(Channel.values)}
    if (quiet_from is None) != (quiet_to is None):
        wrong["quiet_to"] = _("Say both from when and until when, or neither.")
    elif quiet_from is not None and quiet_from == quiet_to:
        wrong["quiet_to"] = _("The two times are the same; leave both empty to be told at any time.")
    try:
        if email:
            validate_email(email)
    except ValidationError:
        wrong["email"] = _("This is not an e-mail address.")
    return wrong


def _clock(value: time | None) -> str:
    return value.strftime("%H:%M") if value else ""
