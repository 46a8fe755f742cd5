"""A bill on its way in through a page, the API or the schedule: kept, looked into, confirmed, taken.

looking -> waiting (a person is asked) -> queued -> running -> done | failed. With `ask=False` nobody is asked.
The work is done by a worker that claims the row by a conditional update. Taking a bill in is one transaction: a worker that
dies leaves nothing half done, and its row is claimed again after `SILENT`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from celery import current_app
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.aws.errors import AwsError
from core.errors import RefusedError
from costs.choices import BillState
from costs.imports.reading import read_bill
from costs.imports.shapes import UnreadableBillError
from costs.imports.sources import Opened, as_it_came, copy_into, on_disk
from costs.imports.taking import known_whole, new_import, preview, take
from costs.models import CostImport

MOST_BYTES = 5 * 2**30
SILENT = timedelta(minutes=40)  # longer than the task may run
log = logging.getLogger(__name__)


def receive(file: File[bytes], *, actor: Any, door: str, account: str = "", ask: bool = True) -> CostImport:
    """Keep a file; a worker looks into it. The same bytes that are in the figures already give their import.

    Raises:
        UnreadableBillError: empty, or too large. Nothing is kept then. What else is wrong, the worker finds.
    """
    name = (file.name or "bill").rsplit("/", 1)[-1]
    if file.size > MOST_BYTES:
        raise UnreadableBillError(_("The file is larger than %s GiB. Send it as parquet.") % (MOST_BYTES >> 30))
    with spooled(file) as path:
        opened = as_it_came(path, name)
        known = known_whole(opened)
        if known is not None:
            return known
        made = new_import(opened, actor=actor, door=door)
    made.account = account.strip()[:120]
    made.state = BillState.LOOKING if ask else BillState.QUEUED
    file.seek(0)
    made.file.name = default_storage.save(f"bills/{made.pk}", file)
    with transaction.atomic():
        made.save(force_insert=True)
        record(actor=actor, verb="bill.received", target=made, source=door, summary=made.name)
        _send(made.pk)
    return made


@contextmanager
def spooled(file: IO[bytes] | File[bytes]) -> Iterator[Path]:
    """The bytes of a stream on disk, for as long as they are needed."""
    with tempfile.NamedTemporaryFile(suffix=".bill") as target:
        copy_into(file, target)
        yield Path(target.name)


@transaction.atomic
def confirm(made: CostImport, *, actor: Any, source: str = "page") -> None:
    """Yes to what the look showed: put it into the figures.

    Raises:
        RefusedError: it does not wait for that.
    """
    waiting = CostImport.objects.filter(pk=made.pk, state=BillState.WAITING)
    if not waiting.update(state=BillState.QUEUED):
        raise RefusedError(_("This bill does not wait for a yes any more."), code="not_waiting")
    record(actor=actor, verb="bill.confirmed", target=made, source=source, summary=made.name, after=made.totals)
    _send(made.pk)


@transaction.atomic
def discard(made: CostImport, *, actor: Any, source: str = "page") -> None:
    """Throw a file away that is not in the figures.

    Raises:
        RefusedError: it is, or is about to be.
    """
    unused = CostImport.objects.filter(pk=made.pk, state__in=[BillState.WAITING, BillState.FAILED])
    if not unused.delete()[0]:
        raise RefusedError(_("Only a bill that waits or failed can be discarded."), code="not_waiting")
    record(actor=actor, verb="bill.discarded", target=made, source=source, summary=made.name)
    if made.file:
        transaction.on_commit(partial(default_storage.delete, str(made.file.name)))


@transaction.atomic
def retry(made: CostImport, *, actor: Any) -> None:
    """Look into a failed file again.

    Raises:
        RefusedError: it did not fail, or its file is no longer kept.
    """
    failed = CostImport.objects.filter(pk=made.pk, state=BillState.FAILED).exclude(file="")
    if not failed.update(state=BillState.LOOKING, problem="", finished=None, started=None):
        raise RefusedError(_("Only a failed import whose file is kept can be tried again."), code="not_failed")
    record(actor=actor, verb="bill.retried", target=made, summary=made.name)
    _send(made.pk)


def _send(pk: UUID) -> None:
    # By name: the tasks import this module.
    transaction.on_commit(partial(current_app.send_task, "costs.work_on_bill", [str(pk)]))


# --- the work -----------------------------------------------------------------------------------------------------


def claimable() -> QuerySet[CostImport]:
    """To be looked into or taken, and not begun, or begun by a worker that must be dead."""
    dead = Q(started__lt=timezone.now() - SILENT)
    fresh = Q(state__in=[BillState.LOOKING, BillState.QUEUED]) & (Q(started=None) | dead)
    return CostImport.objects.filter(fresh | Q(state=BillState.RUNNING) & dead)


def work(pk: str | UUID) -> bool:
    """Look into a bill, or take it; False when it is not there, done, or another worker's."""
    made = claimable().filter(pk=pk).first()
    if made is None:
        return False
    state = BillState.LOOKING if made.state == BillState.LOOKING else BillState.RUNNING
    now = timezone.now()
    if not claimable().filter(pk=pk, state=made.state, started=made.started).update(state=state, started=now):
        return False
    made.state, made.started = state, now
    try:
        _look_or_take(made)
    except UnreadableBillError as error:
        _failed(made, str(error))
    except FileNotFoundError:
        _failed(made, _("The file is no longer kept. Send it again."))
    except (AwsError, OSError) as error:
        _failed(made, _("The file could not be fetched (%s). Try again.") % error)
    except Exception as error:  # the reason belongs on the page; the log has the trace
        _failed(made, _("Stopped by an unexpected error (%s). Nothing was changed.") % type(error).__name__)
        raise
    return True


def _look_or_take(made: CostImport) -> None:
    with _file_of(made) as opened:
        bill = read_bill(opened, account=made.account)
        if made.state == BillState.RUNNING:
            take(bill, made, actor=made.created_by)
        else:
            preview(bill, made)


@contextmanager
def _file_of(made: CostImport) -> Iterator[Opened]:
    if not made.file:
        raise FileNotFoundError(made.name)
    with (
        default_storage.open(str(made.file.name)) as stream,
        spooled(stream) as path,
        on_disk(path, made.name) as opened,
    ):
        yield opened


def _failed(made: CostImport, problem: str) -> None:
    log.warning("bill not taken import=%s problem=%s", made.pk, problem)
    CostImport.objects.filter(pk=made.pk).update(
        state=BillState.FAILED, problem=problem[:1000], finished=timezone.now()
    )
