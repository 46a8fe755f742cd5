"""Measure packages as a sync comes across them: once for each content, by its table of contents. The code is not read."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from django.conf import settings

from core.aws.errors import AwsError, AwsRejected
from core.aws.packages import unpacked_bytes
from services_registry.choices import SizeSource
from services_registry.models import PackageSize

logger = logging.getLogger(__name__)
MOST_FAILURES = 3
"""After so many in a row a run gives up: where S3 is not reachable, each costs its time-outs."""


@dataclass(slots=True)
class Measuring:
    """One run. `problem` says why it gave up; sizes are estimated then."""

    problem: str = ""
    _failures: int = 0
    _known: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls) -> Measuring:
        return cls(_known=set(PackageSize.objects.order_by().values_list("content", flat=True)))

    def look_at(self, content: str, location: str | None, zipped_bytes: int) -> None:
        """Measure a package, unless its size is known. Never raises for what AWS does: an unknown size is estimated."""
        if not settings.MEASURE_PACKAGES or self.problem or not (content and location and zipped_bytes):
            return
        if content in self._known:
            return
        self._known.add(content)
        try:
            size = unpacked_bytes(location, zipped_bytes=zipped_bytes)
        except AwsRejected as error:
            logger.info("package not measured content=%s error=%s", content, error)
            self._count(error, gives_up=error.code in ("403", "AccessDenied"))
        except AwsError as error:
            self._count(error, gives_up=True)
        else:
            self._failures = 0
            PackageSize.objects.get_or_create(
                content=content, defaults={"unzipped_bytes": size, "source": SizeSource.MEASURED}
            )

    def _count(self, error: AwsError, *, gives_up: bool) -> None:
        self._failures += gives_up
        if self._failures >= MOST_FAILURES:
            self.problem = f"Sizes of packages could not be measured and are estimated: {error}"
