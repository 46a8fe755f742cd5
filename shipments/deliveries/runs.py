"""One file on its way in, as a row that people watch: waiting (for a mapping) -> queued -> running -> done | failed.

A worker claims a run by a conditional update and keeps its heartbeat with every batch, in the batch's transaction. When
it dies, another takes over after a minute and goes on behind the last batch. Whoever lost a run notices at its next
batch, which is then rolled back: no row is counted twice.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from celery import current_app
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.aws.errors import AwsError
from core.errors import RefusedError
from shipments.choices import ImportState
from shipments.deliveries.importer import ErrorFile, Importing, ImportResult, Refused
from shipments.deliveries.mapping import Meanings, remember
from shipments.deliveries.reading import UnreadableFileError, open_source
from shipments.deliveries.sample_of import Sample, complaint_about, look
from shipments.models import ImportRun

MOST_BYTES = 2 * 2**30
HEAD_BYTES = 1 << 20
"""Of a longer file so much is kept beside it, so that a look into it does not fetch all of it."""
SILENT = timedelta(seconds=60)
BEAT_S = 5
FIRST_ERRORS = 50
log = logging.getLogger(__name__)


class LostRunError(Exception):
    """Another worker took this run over."""


# --- taking a file in ---------------------------------------------------------------------------------------------


def receive(file: File[bytes], *, actor: Any, source: str = "page") -> tuple[ImportRun, Sample]:
    """Keep a file and look into it; it waits for `start`.

    Raises:
        UnreadableFileError: it is no file of deliveries. Nothing is kept then.
    """
    name = (file.name or "file").rsplit("/", 1)[-1]
    if file.size > MOST_BYTES:
        raise UnreadableFileError(_("The file is larger than 2 GiB. Send it in parts, or packed with gzip."))
    digest = hashlib.sha256()
    for block in file.chunks():
        digest.update(block)
    file.seek(0)
    sample = look(file, name=name)
    run = ImportRun(name=name[:200], sha256=digest.hexdigest(), bytes_total=file.size, source=source)
    run.created_by, run.created_by_name = actor, actor.get_username()
    file.seek(0)
    if file.size > HEAD_BYTES:
        default_storage.save(head_of(run), ContentFile(file.read(HEAD_BYTES)))
        file.seek(0)
    run.file.name = default_storage.save(f"imports/{run.pk}", file)
    run.save(force_insert=True)
    return run, sample


def head_of(run: ImportRun) -> str:
    """Where the beginning of a long file is kept."""
    return f"imports/{run.pk}-head"


def sample_of(run: ImportRun) -> Sample:
    """A look into a kept file. Raises UnreadableFileError, also when the file is no longer there."""
    try:
        _must_be_kept(run)
        with default_storage.open(head_of(run) if run.bytes_total > HEAD_BYTES else str(run.file.name)) as stream:
            return look(stream, name=run.name)
    except FileNotFoundError as error:
        raise UnreadableFileError(_("The file is no longer kept. Send it again.")) from error


def _must_be_kept(run: ImportRun) -> None:
    """Raises FileNotFoundError when the file was removed for its age."""
    if not run.file:
        raise FileNotFoundError(run.name)


def imported_before(run: ImportRun) -> ImportRun | None:
    """The last time the very same file was taken over."""
    same = ImportRun.objects.filter(sha256=run.sha256, state=ImportState.DONE).exclude(pk=run.pk)
    return same.order_by("-finished").first()


# --- what people do with a run ------------------------------------------------------------------------------------


@transaction.atomic
def start(run: ImportRun, sample: Sample, meanings: Meanings, *, actor: Any, source: str = "page") -> None:
    """Queue it with this mapping, which is remembered for the next file with these columns.

    Raises:
        RefusedError: the mapping lacks something (`unmapped_columns`), or the run does not wait any more.
    """
    if why := complaint_about(sample, meanings):
        raise _unmapped(why, sample)
    columns = {column: meanings.field_of(column) for column in sample.columns}
    waiting = ImportRun.objects.filter(pk=run.pk, state=ImportState.WAITING)
    if not waiting.update(state=ImportState.QUEUED, columns=columns, carrier=meanings.carrier):
        raise RefusedError(_("This import was started already."), code="already_started")
    remember(header=sample.header, meanings=meanings, actor=actor)
    record(actor=actor, verb="import.started", target=run, source=source, summary=run.name, after=columns)
    _send(run.pk)


def _unmapped(why: str, sample: Sample) -> RefusedError:
    return RefusedError(why, code="unmapped_columns", fields={"columns": sample.columns})


@transaction.atomic
def retry(run: ImportRun, *, actor: Any) -> None:
    """Go on with a failed run behind what it has taken already."""
    failed = ImportRun.objects.filter(pk=run.pk, state=ImportState.FAILED)
    if not failed.update(state=ImportState.QUEUED, problem="", finished=None):
        raise RefusedError(_("Only an import that failed can be tried again."), code="not_failed")
    record(actor=actor, verb="import.retried", target=run, summary=run.name)
    _send(run.pk)


@transaction.atomic
def discard(run: ImportRun, *, actor: Any) -> None:
    """Throw away a file that was never started."""
    if not ImportRun.objects.filter(pk=run.pk, state=ImportState.WAITING).delete()[0]:
        raise RefusedError(_("This import was started already."), code="already_started")
    record(actor=actor, verb="import.discarded", target=run, summary=run.name)
    for name in (str(run.file.name), head_of(run)):
        transaction.on_commit(partial(default_storage.delete, name))


def _send(pk: UUID) -> None:
    # By name: the tasks import this module.
    transaction.on_commit(partial(current_app.send_task, "shipments.run_import", [str(pk)]))


# --- the work -----------------------------------------------------------------------------------------------------


def claimable() -> QuerySet[ImportRun]:
    """Queued, or held by a worker that has not been heard of for a minute."""
    silent = Q(state=ImportState.RUNNING, heartbeat__lt=timezone.now() - SILENT)
    return ImportRun.objects.filter(Q(state=ImportState.QUEUED) | silent)


def work(run_id: str | UUID) -> bool:
    """Do a run to its end; False when it is not there, done, or another's."""
    now = timezone.now()
    changes = {"state": ImportState.RUNNING, "heartbeat": now, "started": Coalesce(F("started"), now)}
    if not claimable().filter(pk=run_id).update(**changes):
        return False
    run = ImportRun.objects.select_related("carrier", "created_by").get(pk=run_id)
    try:
        _Work(run).do()
    except LostRunError:
        log.info("import lost to another worker run=%s", run_id)
        return False
    return True


class _Work:
    def __init__(self, run: ImportRun) -> None:
        self.run, self.beat = run, run.heartbeat
        self.result = ImportResult(
            rows=run.rows, created=run.created_count, updated=run.updated_count, unchanged=run.unchanged_count,
            refused=run.refused_count, notes=list(run.notes),
        )  # fmt: skip
        self.errors: list[dict[str, Any]] = []
        self.refused_file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape", newline="")  # noqa: SIM115  # closed in do
        self.error_file = ErrorFile(self.refused_file)

    def do(self) -> None:
        """Import, and say how it ended. Whatever goes wrong is on the row, for people."""
        problem = ""
        with self.refused_file:
            try:
                self._import()
                problem = self.result.broken
            except UnreadableFileError as error:
                problem = str(error)
            except FileNotFoundError:
                problem = _("The file is no longer kept. Send it again.")
            except AwsError as error:
                problem = _("The document store cannot be reached (%(error)s). Try again.") % {"error": error}
            except LostRunError:
                raise
            except Exception as error:  # the reason belongs on the page; the log has the trace
                self._end(_("Stopped by an unexpected error (%(kind)s). What was taken is kept; try again.")
                          % {"kind": type(error).__name__})  # fmt: skip
                raise
            self._end(problem)

    def _import(self) -> None:
        run = self.run
        importing = Importing(
            self.result, Meanings(run.columns, run.carrier), on_refused=self._refuse, after_batch=self._after_batch,
            on_step=self._on_step, skip=run.rows,
        )  # fmt: skip
        _must_be_kept(run)
        with default_storage.open(str(run.file.name)) as stream:
            opened = open_source(stream, name=run.name)
            importing.run(opened)
        if self.errors:
            self._keep_refused(opened.kind)

    def _refuse(self, refused: Refused) -> None:
        self.error_file.add(refused)
        if len(self.errors) < FIRST_ERRORS:
            self.errors.append(refused.as_json())

    def _after_batch(self, result: ImportResult, done: int) -> None:
        self._save(
            rows=result.rows, created_count=result.created, updated_count=result.updated, bytes_done=done,
            unchanged_count=result.unchanged, refused_count=result.refused, notes=result.notes,
            first_errors=self.errors,
        )  # fmt: skip

    def _on_step(self, result: ImportResult, done: int) -> None:
        # Only the time: counts are those of whole batches, from which another could go on.
        if self.beat is None or timezone.now() - self.beat > timedelta(seconds=BEAT_S):
            self._save(bytes_done=done)

    def _save(self, **values: Any) -> None:
        """Raises LostRunError when the run is not ours any more."""
        now = timezone.now()
        mine = ImportRun.objects.filter(pk=self.run.pk, state=ImportState.RUNNING, heartbeat=self.beat)
        if not mine.update(heartbeat=now, **values):
            raise LostRunError
        self.beat = now

    def _keep_refused(self, kind: str) -> None:
        self.refused_file.flush()
        binary: Any = self.refused_file.buffer
        binary.seek(0)
        self.run.error_file.name = default_storage.save(f"import-errors/{self.run.pk}.{kind}", File(binary))

    @transaction.atomic
    def _end(self, problem: str) -> None:
        state = ImportState.FAILED if problem else ImportState.DONE
        finished = {"finished": timezone.now(), "problem": problem[:500], "first_errors": self.errors}
        done = {} if problem else {"bytes_done": self.run.bytes_total}
        self._save(state=state, error_file=self.run.error_file.name or "", notes=self.result.notes, **finished, **done)
        record(
            actor=self.run.created_by, verb="shipments.imported", target=self.run, source=self.run.source,
            summary=f"{self.run.name}: {self.result.summary}", after=self.result.counts(),
        )  # fmt: skip
        if self.result.created:
            transaction.on_commit(partial(current_app.send_task, "shipments.take_waiting_events"))
