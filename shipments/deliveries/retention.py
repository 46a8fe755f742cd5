"""Imported files are kept for a while, so that people can look again; then their bytes go and their row stays."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from shipments.choices import ImportState
from shipments.deliveries.runs import head_of
from shipments.models import ImportRun

AT_ONCE = 500


def purge_import_files() -> int:
    """Remove the files of imports that ended, or were never started, more than IMPORT_FILE_DAYS ago; how many.

    Counts, mapping and the first refused rows stay on the row. A file that is gone already counts as removed.
    """
    before = timezone.now() - timedelta(days=settings.IMPORT_FILE_DAYS)
    unused = [ImportState.WAITING, ImportState.DONE, ImportState.FAILED]
    old = ImportRun.objects.filter(created__lt=before, state__in=unused).exclude(file="", error_file="")
    removed = 0
    for run in old.order_by("created")[:AT_ONCE]:
        for name in (str(run.file.name), head_of(run), str(run.error_file.name)):
            if name:
                default_storage.delete(name)
        # Only after the bytes are gone: what fails here is tried again tomorrow.
        removed += ImportRun.objects.filter(pk=run.pk, state=run.state).update(file="", error_file="")
    return removed
