"""What people are told inside the product. Any app tells by `notify`; people read at the bell and at /notifications/.

    notify([user], kind="mention", text="ana mentioned you", url="/deliveries/5/#note-7", dedupe_key="note:7")

The same `dedupe_key` is told to a person once, however often it is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.models import Notification
from core.notices.choices import OPEN, Channel
from core.notices.kinds import Kind, kind_of, register_kind
from core.notices.models import Notice, NoticeDelivery
from core.notices.telling import OUTSIDE, check_address, deliver, one_line, told, ways_of

__all__ = [
    "Kind",
    "inbox",
    "kind_of",
    "mark_all_read",
    "mark_read",
    "notify",
    "register_kind",
    "unread_count",
    "withdraw",
]
MOST_COUNTED = 99


@transaction.atomic
def notify(users: Iterable[Any], kind: str, text: str, url: str = "", dedupe_key: str = "") -> None:
    """Tell each of these people, in the transaction of what happened, by the ways they chose for this kind.

    Two queries however many they are, as long as nobody wants e-mail or a webhook of it.

    Raises:
        ValueError: `url` leads away from this site.
    """
    check_address(url)
    wanted = ways_of(dict.fromkeys(user.pk for user in users), kind)
    beyond = {pk: [way for way in ways if way in OUTSIDE] for pk, ways in wanted.items()}
    beyond = {pk: ways for pk, ways in beyond.items() if ways}
    if beyond and dedupe_key:
        known = Notification.objects.filter(user__in=beyond, dedupe_key=dedupe_key[:120])
        for pk in {*told(kind, dedupe_key, beyond), *known.values_list("user_id", flat=True)}:
            beyond.pop(pk)
    rows = [
        Notification(user_id=pk, kind=kind, text=text[:300], url=url[:500], dedupe_key=dedupe_key[:120])
        for pk, ways in wanted.items()
        if Channel.INBOX in ways
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    if beyond:
        notice = Notice.objects.create(
            topic=kind[:40], subject=one_line(text, 200), text=text, url=url[:500], dedupe_key=dedupe_key[:160]
        )
        deliver(notice, beyond)


def withdraw(dedupe_key: str) -> None:
    """Take back what nobody has read yet and what was not sent yet, because it no longer holds."""
    if dedupe_key:
        NoticeDelivery.objects.filter(notice__dedupe_key=dedupe_key[:160], state__in=OPEN).delete()
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
