"""Bills that come by themselves: reports that AWS puts into a bucket, and Cost Explorer, page by paid page."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from core.aws import storage
from core.aws.clients import account_number
from core.aws.cost_explorer import REGION, cost_and_usage
from core.aws.errors import AwsError
from core.errors import RefusedError
from costs.choices import BillState, Meter
from costs.estimate import price_of
from costs.imports.cost_explorer import bill_of
from costs.imports.shapes import UnreadableBillError
from costs.imports.sources import Opened, is_part, opened
from costs.imports.taking import known_whole, new_import, take, take_file
from costs.models import CostExplorerPull, CostImport

GROUPS = ("SERVICE", "USAGE_TYPE")
log = logging.getLogger(__name__)


# --- reports in a bucket --------------------------------------------------------------------------------------------


def take_delivered(prefix: str) -> int:
    """Take in every folder below an `s3://` prefix in which a report was put or written anew; returns how many.

    A folder that cannot be read is written down as failed and left alone until something in it changes.

    Raises:
        AwsError: the bucket cannot be listed.
    """
    taken = 0
    for folder, modified in _folders(prefix):
        if CostImport.objects.filter(name=folder[:300], created__gte=modified).exists():
            continue
        taken += _take_folder(folder)
    return taken


def _folders(prefix: str) -> Iterator[tuple[str, datetime]]:
    """Folders with tables in them, those that changed first first: of two versions of a report, the later stays."""
    folders: defaultdict[str, list[datetime]] = defaultdict(list)
    for listed in storage.list_objects(prefix):
        if is_part(listed.uri):
            folders[listed.uri.rpartition("/")[0] + "/"].append(listed.modified)
    yield from sorted(((folder, max(times)) for folder, times in folders.items()), key=lambda pair: pair[1])


def _take_folder(folder: str) -> bool:
    try:
        with opened(folder) as file:
            named = Opened(file.path, folder, file.kind, file.size, file.sha256, file.parts)
            known = known_whole(named)
            if known is not None:  # written anew with the same bytes
                CostImport.objects.filter(pk=known.pk).update(created=timezone.now())
                return False
            take_file(named, door="schedule")
    except (UnreadableBillError, AwsError) as error:
        log.warning("delivered bill not taken folder=%s problem=%s", folder, error)
        CostImport.objects.create(
            name=folder[:300], door="schedule", created_by_name="system", state=BillState.FAILED,
            problem=str(error)[:1000], finished=timezone.now(),
        )  # fmt: skip
        return False
    return True


# --- Cost Explorer --------------------------------------------------------------------------------------------------


def requests_left(today: date) -> int:
    """Requests that may still be made this month (`COST_EXPLORER_REQUESTS`)."""
    month = CostExplorerPull.objects.filter(at__date__gte=today.replace(day=1))
    used = month.aggregate(used=Sum("requests"))["used"] or 0
    return max(0, settings.COST_EXPLORER_REQUESTS - used)


def pull(first: date, end: date, *, groups: Sequence[str] = GROUPS, actor: Any = None) -> CostImport:
    """Ask Cost Explorer for some days and put them in the place of what it said of them before.

    Raises:
        RefusedError: the month's requests are used up; what was asked so far is not taken in.
        AwsError: Cost Explorer cannot be asked.
    """
    log_row = CostExplorerPull.objects.create(first=first, end=end)
    try:
        pages = _pages(log_row, first, end, groups)
        bill = bill_of(pages, account=account_number(), capability_tag=settings.COST_CAPABILITY_TAG)
        if not bill.lines:
            raise RefusedError(_("Cost Explorer has no costs for these days."), code="empty")
    except (AwsError, RefusedError, UnreadableBillError) as error:
        CostExplorerPull.objects.filter(pk=log_row.pk).update(problem=str(error)[:500])
        raise
    text = json.dumps(pages, sort_keys=True, default=str).encode()
    name = f"Cost Explorer {first} to {end - timedelta(days=1)}"
    file = Opened(Path(), name, "json", len(text), hashlib.sha256(text).hexdigest())
    made = known_whole(file) or take(bill, new_import(file, actor=actor, door="schedule"), actor=actor)
    CostExplorerPull.objects.filter(pk=log_row.pk).update(cost_import=made)
    return made


def _pages(log_row: CostExplorerPull, first: date, end: date, groups: Sequence[str]) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    today = timezone.now().date()
    known = price_of(REGION, Meter.COST_EXPLORER_REQUEST, today)
    usd = known.usd if known else Decimal(0)
    token = ""
    while True:
        if not requests_left(today):
            raise RefusedError(
                _("The %s requests to Cost Explorer of this month are used up.") % settings.COST_EXPLORER_REQUESTS,
                code="budget",
            )
        # Written before it is sent: what AWS charges for is counted even when no answer comes.
        CostExplorerPull.objects.filter(pk=log_row.pk).update(requests=F("requests") + 1, usd=F("usd") + usd)
        page = cost_and_usage(first, end, group_by=groups, page=token)
        token = page.pop("NextPageToken", "")
        pages.append(page)
        if not token:
            return pages
