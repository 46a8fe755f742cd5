"""Deciding what a code means, and going over the history afterwards: one deed, whether by page or API."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shipments.models import Carrier, CodeMapping
from shipments.status import changes, runs
from shipments.status.changes import Change
from shipments.tasks import remap


@transaction.atomic
def map_code(change: Change, *, actor: Any, source: str = "page") -> tuple[CodeMapping, runs.Run]:
    """Store the mapping and queue the re-run."""
    whole = change.touches_mapped()
    mapping = changes.save_mapping(change, actor=actor, source=source)
    words = _("%(carrier)s %(code)s mapped")
    return mapping, _queue(change, words, whole=whole, mapping_id=mapping.pk, actor=actor)


@transaction.atomic
def take_back_code(mapping: CodeMapping, *, actor: Any, source: str = "page") -> runs.Run:
    """Delete a carrier's own mapping and queue the re-run."""
    assert mapping.carrier_id is not None  # noqa: S101  # rows for all carriers are changed in the admin
    change = Change(mapping.carrier_id, mapping.code, undo=mapping.pk)
    whole = change.touches_mapped()
    changes.take_back(mapping, actor=actor, source=source)
    return _queue(change, _("%(carrier)s %(code)s: mapping taken back"), whole=whole, mapping_id=None, actor=actor)


def _queue(change: Change, words: str, *, whole: bool, mapping_id: int | None, actor: Any) -> runs.Run:
    carrier = Carrier.objects.get(pk=change.carrier_id)
    title = words % {"carrier": carrier.name, "code": change.code}
    run = runs.prepare(carrier_id=carrier.pk, code=change.code, title=title, whole=whole, mapping_id=mapping_id,
                       person=actor)  # fmt: skip
    transaction.on_commit(partial(remap.delay, run.id))
    return run
