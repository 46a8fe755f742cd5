"""What a person knows about the unpacked size of a package, which AWS does not tell."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from core.audit import record
from services_registry.choices import SizeSource
from services_registry.models import PackageSize


@transaction.atomic
def state_size(*, content: str, unzipped_bytes: int, note: str, actor: Any, source: str = "page") -> PackageSize:
    """Let this size hold for that content, in place of any estimate or measurement. Twice changes nothing.

    Args:
        content: the CodeSha256, or the ARN of a layer version of which AWS tells no digest.
    """
    row = PackageSize.objects.select_for_update().filter(content=content).first()
    before = _facts(row) if row else None
    row = row or PackageSize(content=content)
    row.unzipped_bytes, row.note, row.source = unzipped_bytes, note, SizeSource.STATED
    if _facts(row) != before:
        row.at = timezone.now()
        row.save()
        record(
            actor=actor, verb="package_size.stated", target=row, source=source, summary=content, before=before,
            after=_facts(row),
        )  # fmt: skip
    return row


@transaction.atomic
def forget_size(row: PackageSize, *, actor: Any, source: str = "page") -> None:
    """The size is estimated, or measured, again."""
    record(
        actor=actor, verb="package_size.forgotten", target=row, source=source, summary=row.content, before=_facts(row)
    )
    row.delete()


def _facts(row: PackageSize) -> dict[str, Any]:
    return {"unzipped_bytes": row.unzipped_bytes, "source": str(row.source), "note": row.note}
