"""Telling people: the message, a delivery for each of them and each way, and the line in their inbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from core.models import Notification, Preference
from core.notices.choices import Channel, NoticeState, Severity
from core.notices.kinds import kind_of
from core.notices.models import Notice, NoticeDelivery, NoticePreference
from core.notices.quiet import quiet_until
from core.webhooks.outbox import wake_task

Ways = Mapping[int, Sequence[str]]
OUTSIDE = (Channel.EMAIL, Channel.WEBHOOK)


@transaction.atomic
def tell(
    users: Iterable[Any],
    *,
    topic: str,
    subject: str,
    severity: str = Severity.INFO,
    text: str = "",
    url: str = "",
    key: str = "",
    window: timedelta | None = None,
    attachment: str = "",
) -> Notice | None:
    """Tell each of these people, each by the ways they chose; None when all of them know it, or want no way.

    Args:
        key: names what happened; a person is told of it once.
        window: told again when the last time lies further back. None: never again.
        attachment: the name of a stored file that e-mails bring along.

    Raises:
        ValueError: `url` leads away from this site.
    """
    check_address(url)
    people = {user.pk: user for user in users}
    if key and people:
        for known in told(topic, key, people, window):
            people.pop(known)
    wanted = ways_of(people, topic)
    if not any(wanted.values()):
        return None
    notice = Notice.objects.create(
        topic=topic[:40], severity=severity, subject=one_line(subject, 200), text=text, url=url[:500],
        dedupe_key=key[:160], attachment=attachment,
    )  # fmt: skip
    deliver(notice, wanted)
    return notice


def check_address(url: str) -> None:
    """Raises ValueError for an address that is not of this site."""
    if url and not (url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)):
        raise ValueError(f"not an address of this site: {url}")


def one_line(text: str, most: int) -> str:
    """Without line ends, which have no place in a subject."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def deliver(notice: Notice, wanted: Ways) -> None:
    """Deliveries of a new message by the ways of each person. The inbox is written at once, the rest is sent after commit."""
    now = timezone.now()
    outside = [pk for pk, ways in wanted.items() if set(ways) & set(OUTSIDE)]
    preferences = {row.user_id: row for row in Preference.objects.filter(user__in=outside)} if outside else {}
    rows = []
    for pk, ways in wanted.items():
        until = quiet_until(preferences.get(pk), notice.severity, now)
        for way in ways:
            row = NoticeDelivery(notice=notice, user_id=pk, channel=way, created=now, due=now)
            if way == Channel.INBOX:
                row.state, row.finished, row.due, row.attempts = NoticeState.SENT, now, None, 1
            elif until is not None:
                row.state, row.due, row.reason = NoticeState.HELD, until, _("quiet hours")
            rows.append(row)
    NoticeDelivery.objects.bulk_create(rows)
    lines = [
        Notification(user_id=pk, kind=notice.topic, text=notice.subject, url=notice.url, dedupe_key=f"notice:{notice.pk}")
        for pk, ways in wanted.items() if Channel.INBOX in ways
    ]  # fmt: skip
    Notification.objects.bulk_create(lines, ignore_conflicts=True)
    if any(row.state == NoticeState.WAITING for row in rows):
        transaction.on_commit(partial(wake_task, "core.send_notices"))


def ways_of(people: Iterable[int], topic: str) -> dict[int, list[str]]:
    """How each of these people wants to hear of a topic. One query."""
    ids = list(people)
    usual = list(kind_of(topic).channels)
    chosen = NoticePreference.objects.filter(user__in=ids, topic=topic).values_list("user_id", "channels")
    return dict.fromkeys(ids, usual) | dict(chosen)


def people_wanting(topic: str) -> list[Any]:
    """Active people who said themselves that they want to hear of a topic."""
    chosen = NoticePreference.objects.filter(topic=topic).exclude(channels=[]).values("user_id")
    return list(get_user_model().objects.filter(pk__in=chosen, is_active=True))


def told(topic: str, key: str, people: Iterable[int], window: timedelta | None = None) -> set[int]:
    """Who of these knows it already; counted in the log. Others that tell the same wait here until we are done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"{topic}\n{key[:160]}"])
    before = NoticeDelivery.objects.filter(
        notice__topic=topic[:40], notice__dedupe_key=key[:160], user__in=list(people)
    )
    if window is not None:
        before = before.filter(notice__created__gt=timezone.now() - window)
    latest: dict[int, int] = {}
    for user, notice in before.exclude(channel="").order_by("notice_id").values_list("user_id", "notice_id"):
        latest[user] = notice
    counted = before.filter(channel="", notice__in=latest.values())
    known = set(counted.values_list("user_id", "notice_id"))
    counted.update(attempts=F("attempts") + 1, finished=timezone.now())
    NoticeDelivery.objects.bulk_create(
        NoticeDelivery(
            notice_id=notice, user_id=user, state=NoticeState.SUPPRESSED, attempts=1, finished=timezone.now(),
            reason=_("the same was told before"),
        )
        for user, notice in latest.items() if (user, notice) not in known
    )  # fmt: skip
    return set(latest)
