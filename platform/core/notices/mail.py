"""One mail server, one connection for what is sent together, every step with a time-out (`EMAIL_TIMEOUT`)."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _

from core.navigation_tree import PRODUCT
from core.notices.models import Notice

LARGEST_ATTACHMENT = 10 << 20
REFUSED_FOR_GOOD = 500


class MailError(Exception):
    """A letter was not taken; `for_good` says that trying again is of no use."""

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to one person. `number` names it in its Message-ID: sent twice, mail programs show it once."""

    number: int
    to: str
    subject: str
    notices: Sequence[Notice]
    attachments: Sequence[str] = ()

    @property
    def body(self) -> str:
        """Plain text, which every mail program and every phone shows."""
        parts = [_paragraphs(notice, heading=len(self.notices) > 1) for notice in self.notices]
        foot = _("Which messages you get, and when you are left alone:")
        return "\n\n----\n\n".join(parts) + f"\n\n-- \n{foot}\n{absolute('/account/notifications/')}\n"


def _paragraphs(notice: Notice, *, heading: bool) -> str:
    parts = [notice.subject if heading or not notice.text else "", notice.text, absolute(notice.url)]
    return "\n\n".join(part for part in parts if part)


def absolute(path: str) -> str:
    """An address of this site as it stands in a mail."""
    return f"{settings.PUBLIC_URL}{path}" if path else ""


def mail_works() -> bool:
    """Whether there is somewhere to give mail to."""
    return bool(settings.EMAIL_HOST or settings.EMAIL_FILE_PATH)


class Postman:
    """Opens the connection with the first letter, and gives up on the server for this round when it does not answer."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._gone = ""

    def __enter__(self) -> Postman:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._connection is not None:
            with suppress(OSError, smtplib.SMTPException):  # what was taken was taken
                self._connection.close()

    def send(self, letter: Letter) -> None:
        """Raises MailError."""
        if not letter.to:
            raise MailError(_("this person has no e-mail address"), for_good=True)
        if not mail_works():
            raise MailError(_("no mail server is set (EMAIL_HOST)"), for_good=True)
        if self._gone:
            raise MailError(self._gone)
        try:
            if self._connection is None:
                opened = get_connection()
                opened.open()
                self._connection = opened
            self._message(letter).send()
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            words = _("the address was refused: %(said)s") % {"said": _text(said)}
            raise MailError(words, for_good=code >= REFUSED_FOR_GOOD) from error
        except smtplib.SMTPDataError as error:
            raise MailError(_("the mail server refused it: %(said)s") % {"said": _text(error.smtp_error)}) from error
        except (OSError, smtplib.SMTPException) as error:
            self._gone = _("the mail server cannot be used: %(why)s") % {"why": _text(error)}
            raise MailError(self._gone) from error

    def _message(self, letter: Letter) -> EmailMessage:
        sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        host = sender.rpartition("@")[2] or "localhost"
        headers = {"Message-ID": f"<notice-{letter.number}@{host}>", "Auto-Submitted": "auto-generated"}
        message = EmailMessage(
            f"[{PRODUCT}] {letter.subject}", letter.body, to=[letter.to], headers=headers, connection=self._connection
        )
        for name in letter.attachments:
            with default_storage.open(name) as stream:
                content = stream.read(LARGEST_ATTACHMENT + 1)
            if len(content) <= LARGEST_ATTACHMENT:
                message.attach(PurePosixPath(name).name, content)
        return message


def _text(said: object) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else f"{type(said).__name__}: {said}"
