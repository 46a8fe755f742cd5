"""Many documents as one PDF, made by a worker: at most 500 documents and 100 MB. A job is a row that people watch.

A worker claims a job by a conditional update and keeps its heartbeat with every document; when it dies, another begins
anew after a minute.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import current_app
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.audit import record
from core.aws.errors import AwsError
from core.errors import RefusedError
from shipments.choices import DocumentState, PrintState
from shipments.documents.copies import ChangedError, LostError, local_copy
from shipments.documents.reader import Reader, UnreadableError
from shipments.models import Document, PrintJob

MOST_DOCUMENTS, MOST_BYTES = 500, 100 << 20
SILENT, KEPT = timedelta(minutes=1), timedelta(days=1)
SAVE_SECONDS = 120.0


def request_print(ids: Sequence[int], *, actor: Any, source: str = "page") -> PrintJob:
    """Queue a job for these documents, in the order of their deliveries.

    Raises:
        RefusedError: none of them can be printed, or they are too many or too large; the message says by how much.
    """
    if len(ids) > MOST_DOCUMENTS:
        words = _("%(n)s documents are chosen; at most %(most)s are printed at once. Choose fewer, or take the ZIP.")
        raise RefusedError(words % {"n": f"{len(ids):,}", "most": MOST_DOCUMENTS}, code="too_many")
    rows = Document.objects.filter(pk__in=ids)
    stored = rows.filter(state=DocumentState.STORED)
    size = stored.aggregate(size=Sum("bytes"))["size"] or 0
    if size > MOST_BYTES:
        words = _(
            "These documents have %(n)s MB; at most %(most)s MB are printed at once. Choose fewer, or take the ZIP."
        )
        raise RefusedError(words % {"n": size >> 20, "most": MOST_BYTES >> 20}, code="too_large")
    chosen = list(stored.order_by("shipment_id", "type", "pk").values_list("pk", flat=True))
    if not chosen:
        raise RefusedError(_("None of these can be printed: documents in quarantine are left out."), code="nothing")
    return _queue(chosen, list(rows.exclude(state=DocumentState.STORED)), actor, source)


@transaction.atomic
def _queue(chosen: list[int], refused: list[Document], actor: Any, source: str) -> PrintJob:
    left_out = [{"id": row.pk, "name": row.name, "reason": row.problem or row.get_state_display()} for row in refused]
    job = PrintJob.objects.create(
        documents=chosen, total=len(chosen), left_out=left_out, created_by=actor, created_by_name=actor.get_username()
    )
    summary = ngettext("%d document", "%d documents", len(chosen)) % len(chosen)
    record(actor=actor, verb="documents.printed", target=job, source=source, summary=summary)
    transaction.on_commit(partial(current_app.send_task, "shipments.print_documents", [str(job.pk)]))
    return job


def claimable() -> QuerySet[PrintJob]:
    silent = Q(state=PrintState.RUNNING, heartbeat__lt=timezone.now() - SILENT)
    lost = Q(state=PrintState.QUEUED, created__lt=timezone.now() - SILENT)
    return PrintJob.objects.filter(silent | lost)


def work(job_id: str | UUID) -> bool:
    """Do a job to its end; False when it is not there, done, or another's."""
    free = Q(state=PrintState.QUEUED) | Q(state=PrintState.RUNNING, heartbeat__lt=timezone.now() - SILENT)
    mine = PrintJob.objects.filter(free, pk=job_id)
    if not mine.update(state=PrintState.RUNNING, heartbeat=timezone.now(), done=0):
        return False
    job = PrintJob.objects.get(pk=job_id)
    problem = ""
    with Reader() as reader, tempfile.TemporaryDirectory(prefix="print-") as folder:
        try:
            _make(job, reader, Path(folder) / "all.pdf")
        except UnreadableError as error:
            problem = _("The documents could not be put together: %(why)s.") % {"why": error}
        except (AwsError, OSError) as error:
            problem = _("The document store cannot be used now (%(why)s). Print again later.") % {"why": error}
    job.state = PrintState.FAILED if problem else PrintState.DONE
    job.problem, job.finished = problem[:300], timezone.now()
    job.save(update_fields=["state", "problem", "finished", "left_out", "file", "pages", "bytes", "done"])
    return True


def _make(job: PrintJob, reader: Reader, target: Path) -> None:
    rows = Document.objects.in_bulk(job.documents)
    reader.ask("begin")
    put_in = 0
    for number, pk in enumerate(job.documents, 1):
        reason = _add(rows.get(pk), reader)
        if reason:
            name = rows[pk].name if pk in rows else ""
            job.left_out.append({"id": pk, "name": name, "reason": reason})
        put_in += not reason
        job.done = number
        PrintJob.objects.filter(pk=job.pk).update(done=number, heartbeat=timezone.now())
    if not put_in:
        raise UnreadableError(_("none of them could be read"))
    job.pages = reader.ask("save", within=SAVE_SECONDS, target=str(target))["pages"]
    job.bytes = target.stat().st_size
    with target.open("rb") as stream:
        job.file.name = default_storage.save(f"prints/{job.pk}.pdf", File(stream))


def _add(document: Document | None, reader: Reader) -> str:
    """Why it is left out; empty when it is in."""
    if document is None or document.state != DocumentState.STORED:
        return _("It was removed meanwhile.")
    try:
        with local_copy(document) as path:
            reader.ask("add", path=path, kind=document.content_type)
    except LostError:
        return _("Its file is not in the document store.")
    except ChangedError:
        return _("Its file was changed in the document store.")
    except UnreadableError as error:
        if reader.restarted:
            raise  # what was put together so far is gone
        return _("It cannot be read: %(why)s.") % {"why": error}
    return ""


def remove_old() -> int:
    """Remove prints of yesterday; how many."""
    jobs = PrintJob.objects.filter(created__lt=timezone.now() - KEPT).exclude(file="")
    for job in jobs:
        default_storage.delete(str(job.file.name))
        PrintJob.objects.filter(pk=job.pk).update(file="")
    return len(jobs)
