"""What people are told inside the product. Any app tells by `notify`; people read at the bell and at /notifications/.

    notify([user], kind="mention", text="ana mentioned you", url="/deliveries/5/#note-7", dedupe_key="note:7")

The same `dedupe_key` is told to a person once, however often it is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from core.models import Notification

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

MOST_COUNTED = 99


@dataclass(frozen=True, slots=True)
class Kind:
    """How notifications of one kind look; `tone` is one of the badge tones."""

    label: _StrOrPromise
    icon: str = "info"
    tone: str = "blue"


_kinds: dict[str, Kind] = {}


def register_kind(name: str, kind: Kind) -> None:
    """Say how a kind looks. A kind that nobody registered is shown under its name."""
    _kinds[name] = kind


def kind_of(name: str) -> Kind:
    return _kinds.get(name) or Kind(name)


register_kind("mention", Kind(_("mention"), "message"))


def notify(users: Iterable[Any], kind: str, text: str, url: str = "", dedupe_key: str = "") -> None:
    """Tell each of these people, in the transaction of what happened; one query however many they are.

    Raises:
        ValueError: `url` leads away from this site.
    """
    if url and not (url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)):
        raise ValueError(f"not an address of this site: {url}")
    rows = [
        Notification(user_id=pk, kind=kind, text=text[:300], url=url[:500], dedupe_key=dedupe_key[:120])
        for pk in dict.fromkeys(user.pk for user in users)
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def withdraw(dedupe_key: str) -> None:
    """Take back what nobody has read yet, because it no longer holds."""
    Notification.objects.filter(dedupe_key=dedupe_key[:120], read=None).exclude(dedupe_key="").delete()


def inbox(user: Any, *, unread: bool = False) -> QuerySet[Notification]:
    """A person's notifications, newest first."""
    rows = Notification.objects.filter(user_id=user.pk)
    return rows.filter(read=None) if unread else rows


def unread_count(user: Any) -> int:
    """How many are unread; at most 100, which means "more than 99"."""
    return inbox(user, unread=True).order_by()[: MOST_COUNTED + 1].count()


def mark_read(notification: Notification) -> None:
    """Once; the time of the first reading stays."""
    Notification.objects.filter(pk=notification.pk, read=None).update(read=timezone.now())


def mark_all_read(user: Any, *, up_to: int) -> int:
    """All that were there when the person looked (`up_to`: the newest id they saw); how many."""
    return inbox(user, unread=True).filter(pk__lte=up_to).update(read=timezone.now())
