"""Sending what is due: e-mails by the mail server, webhooks by the outbox; later and later after failures, for a day."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.models import Preference
from core.notices.choices import OPEN, Channel, NoticeState
from core.notices.kinds import MESSAGE
from core.notices.mail import Letter, MailError, Postman
from core.notices.models import Notice, NoticeDelivery
from core.notices.quiet import quiet_until
from core.notices.telling import one_line
from core.webhooks.outbox import emit

logger = logging.getLogger(__name__)
AT_ONCE = 200
LEASE = timedelta(minutes=10)
FIRST_WAIT_S, LONGEST_WAIT_S = 60, 3_600
MOST_TRIES = 26
"""About a day; then a message has failed, and stays in the log."""
KEPT = timedelta(days=90)


def wait_after(attempts: int) -> timedelta:
    """1 min, 4 min, 16 min, then an hour; up to a quarter more, so that not all come back at once."""
    wait = min(FIRST_WAIT_S * 4 ** min(attempts - 1, 6), LONGEST_WAIT_S)
    return timedelta(seconds=wait * random.uniform(1, 1.25))  # noqa: S311  # spreading, no secret


def due(now: datetime) -> QuerySet[NoticeDelivery]:
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return NoticeDelivery.objects.filter(free, state__in=OPEN, due__lte=now)


def send_due() -> int:
    """Send what is due; how many deliveries were tried. Harmless at any time, and beside others that do the same."""
    now, tried = timezone.now(), 0
    rows = _hold_back(_claimed(now), now)
    key = lambda row: (row.channel, row.user_id, row.state == NoticeState.HELD)  # noqa: E731  # used twice, here alone
    with Postman() as postman:
        for (channel, _user, held), group in groupby(sorted(rows, key=key), key):
            mine = list(group)
            for part in [mine] if held else [[row] for row in mine]:
                _send(channel, part, postman)
                tried += len(part)
    return tried


def _claimed(now: datetime) -> list[NoticeDelivery]:
    with transaction.atomic():
        ids = list(
            due(now)
            .order_by("user_id", "pk")
            .select_for_update(skip_locked=True)
            .values_list("pk", flat=True)[:AT_ONCE]
        )
        NoticeDelivery.objects.filter(pk__in=ids).update(claimed_until=now + LEASE)
    rows = NoticeDelivery.objects.filter(pk__in=ids, state__in=OPEN).select_related("notice", "user")
    return list(rows.order_by("pk"))


def _hold_back(rows: Sequence[NoticeDelivery], now: datetime) -> list[NoticeDelivery]:
    """What may go now. Quiet hours may have begun since a message was written, or since it was last tried."""
    preferences = {row.user_id: row for row in Preference.objects.filter(user__in={row.user_id for row in rows})}
    free = []
    for row in rows:
        until = quiet_until(preferences.get(row.user_id), row.notice.severity, now)
        if until is None:
            free.append(row)
            continue
        NoticeDelivery.objects.filter(pk=row.pk).update(
            state=NoticeState.HELD, due=until, claimed_until=None, reason=_("quiet hours")
        )
    return free


def _send(channel: str, rows: list[NoticeDelivery], postman: Postman) -> None:
    try:
        if channel == Channel.EMAIL:
            postman.send(letter_of(rows))
            _sent(rows)
        else:
            _emit(rows)
    except MailError as error:
        logger.warning("mail not sent deliveries=%s error=%s", [row.pk for row in rows], error)
        _failed(rows, str(error), for_good=error.for_good)


def _emit(rows: list[NoticeDelivery]) -> None:
    """Into the outbox of webhooks, in the transaction in which it is marked as sent."""
    said = {"to": rows[0].user.get_username(), "messages": [_fields(row.notice) for row in rows]}
    with transaction.atomic():
        if emit(MESSAGE, [said]):
            _sent(rows)
        else:
            _failed(rows, _("no webhook subscribes to %(kind)s") % {"kind": MESSAGE}, for_good=True)


def _fields(notice: Notice) -> dict[str, Any]:
    names = ("topic", "severity", "subject", "text", "url", "created")
    return {name: getattr(notice, name) for name in names}


def letter_of(rows: Sequence[NoticeDelivery]) -> Letter:
    """One message, or the digest of what was held back."""
    first, user = rows[0], rows[0].user
    notices = [row.notice for row in rows]
    attachments = [notice.attachment for notice in notices if notice.attachment]
    if len(notices) == 1:
        return Letter(first.pk, user.email, first.notice.subject, notices, attachments)
    subject = _("%(n)d messages from your quiet hours: %(first)s") % {"n": len(rows), "first": first.notice.subject}
    return Letter(first.pk, user.email, one_line(subject, 200), notices, attachments)


def _sent(rows: Iterable[NoticeDelivery]) -> None:
    mine = list(rows)
    words = _("in a digest of %(n)d") % {"n": len(mine)} if len(mine) > 1 else ""
    NoticeDelivery.objects.filter(pk__in=[row.pk for row in mine]).update(
        state=NoticeState.SENT, attempts=F("attempts") + 1, finished=timezone.now(), due=None, claimed_until=None,
        reason=words,
    )  # fmt: skip


def _failed(rows: Iterable[NoticeDelivery], reason: str, *, for_good: bool) -> None:
    now = timezone.now()
    for row in rows:
        row.attempts, row.reason, row.claimed_until = row.attempts + 1, one_line(reason, 300), None
        if for_good or row.attempts >= MOST_TRIES:
            row.state, row.finished, row.due = NoticeState.FAILED, now, None
        else:
            row.due = now + wait_after(row.attempts)
        row.save(update_fields=["attempts", "reason", "claimed_until", "state", "finished", "due"])


def clear_old() -> None:
    """Forget messages of three months ago, and how they were delivered."""
    Notice.objects.filter(created__lt=timezone.now() - KEPT).delete()
