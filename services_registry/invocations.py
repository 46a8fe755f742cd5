"""Single invocations of a function: which were asked for, with the end of their log and where AWS has the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from core.aws.console import log_search_url
from core.bounded import bounded_page
from core.pagination import BadCursorError, KeysetPage
from core.timerange import TimeRange
from services_registry.choices import COLD_START, Ended
from services_registry.courses import Window, window_of
from services_registry.models import Chunk, Function, InvocationReport

ORDER = ["-at", "-id"]
PAGE_SIZE = 25
OUTCOMES = [*((kind.value, kind.label) for kind in Ended if kind != Ended.OTHER), COLD_START]


@dataclass(frozen=True, slots=True)
class Asked:
    """The invocations of one function that an address asks for: of the range or of one step, with one outcome or any."""

    function: Function
    start: datetime
    end: datetime
    window: Window | None
    ended: str = ""

    @classmethod
    def of(cls, function: Function, period: TimeRange, query: QueryDict) -> Asked:
        window = window_of(query.get("at", "")) if query.get("at") else None
        ended = query.get("ended", "")
        start, end = (window.start, window.end) if window else (period.start, period.end)
        return cls(function, start, end, window, ended if ended in dict(OUTCOMES) else "")

    @property
    def rows(self) -> QuerySet[InvocationReport]:
        found = self.walk()
        if self.ended == COLD_START[0]:
            return found.filter(init_ms__isnull=False)
        return found.filter(status=self.ended) if self.ended else found

    def walk(self) -> QuerySet[InvocationReport]:
        """Those that the index of function and time leads to."""
        return InvocationReport.objects.filter(function=self.function, at__gte=self.start, at__lt=self.end)

    def page(self, cursor: str = "") -> KeysetPage[InvocationReport]:
        """Latest first; in a bounded time, also where a rare outcome is looked for among millions."""
        try:
            return bounded_page(self.rows, walk=self.walk, order=ORDER, cursor=cursor, size=PAGE_SIZE)
        except BadCursorError:
            return bounded_page(self.rows, walk=self.walk, order=ORDER, size=PAGE_SIZE)

    @property
    def kept(self) -> bool:
        """Whether single invocations of that time are still kept."""
        return (timezone.now() - self.end).days < settings.REPORT_DAYS


def with_logs(reports: Iterable[InvocationReport], function: Function) -> list[dict[str, Any]]:
    """Each with what was kept of its log, the batch that called it, and its address in CloudWatch Logs."""
    reports = list(reports)
    ours = {
        chunk.request_id: chunk
        for chunk in Chunk.objects.filter(request_id__in=[report.request_id for report in reports if report.request_id])
        .only("request_id", "batch_id", "position", "log_tail")
    }  # fmt: skip
    return [
        {
            "report": report, "ended": Ended.of(report.status), "chunk": ours.get(report.request_id),
            "console": _console(report, function),
        }
        for report in reports
    ]  # fmt: skip


def _console(report: InvocationReport, function: Function) -> str:
    """Empty where it would lead nowhere: with the local AWS, or without a log group."""
    if settings.AWS_ENDPOINT_URL or not function.log_group:
        return ""
    return log_search_url(arn=function.arn, log_group=function.log_group, request_id=report.request_id, at=report.at)
