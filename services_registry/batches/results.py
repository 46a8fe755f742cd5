"""What a batch brought, as one archive: the files of its items and a list that says which file is whose."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import IO, Any, cast

from django.utils.translation import gettext as _

from core.csv_stream import csv_blocks
from core.zip_stream import Names, ZipEntry
from services_registry import capabilities
from services_registry.capabilities import Capability, ResultFile
from services_registry.choices import ItemState
from services_registry.models import Batch

ITEMS_AT_ONCE = 500
INDEX = "index.csv"
INDEX_HEADER = ["item", "state", "file", "error"]
INDEX_IN_MEMORY = 2**20
Index = list[list[str]]


@dataclass(frozen=True, slots=True)
class _Item:
    position: int
    key: str
    label: str
    state: str
    error_type: str
    error_message: str

    @property
    def error(self) -> str:
        return ": ".join(part for part in (self.error_type, self.error_message) if part)


def offers_files(batch: Batch) -> bool:
    """Whether it makes sense to offer the archive. Asks the database nothing."""
    kind = _kind_of(batch)
    return bool(batch.succeeded and kind is not None and type(kind).files is not Capability.files)


def has_files(batch: Batch) -> bool:
    """Whether at least one file is there. Stops at the first."""
    kind = _kind_of(batch)
    if kind is None or not offers_files(batch):
        return False
    succeeded = batch.items.filter(state=ItemState.SUCCEEDED)
    return any(_files_of(kind, batch, items) for items in _items_at_once(succeeded))


def archive_entries(batch: Batch) -> Iterator[ZipEntry]:
    """All result files in the order of work, then `index.csv` with a line for each file and for each item without one.

    A file that is gone from the document store is named in the list; the others still come.
    """
    kind = _kind_of(batch)
    names = Names(INDEX)
    with tempfile.SpooledTemporaryFile(INDEX_IN_MEMORY) as index:
        lines = csv_blocks(INDEX_HEADER, ())
        index.writelines(lines)
        for items in _items_at_once(batch.items.all()):
            files = _files_of(kind, batch, items) if kind is not None else {}
            listed: Index = []
            for item in items:
                yield from _item_entries(item, files.get(item.key, []), names, listed)
            index.writelines(islice(csv_blocks((), listed), 1, None))
        index.seek(0)
        yield ZipEntry(INDEX, partial(_already_open, cast(IO[bytes], index)), compress=True)


def _item_entries(item: _Item, files: Sequence[ResultFile], names: Names, listed: Index) -> Iterator[ZipEntry]:
    """The entries of one item; what became of each is added to `listed`."""
    if not files:
        listed.append([item.label or item.key, item.state, "", item.error])
    for file in files:
        try:
            with file.open() as stream:
                name = names.give(file.name)
                yield ZipEntry(name, partial(_already_open, stream), file.size, file.modified)
                listed.append([item.label or item.key, item.state, name, item.error])
        except FileNotFoundError:
            problem = _("The file is not in the document store any more.")
            listed.append([item.label or item.key, item.state, "", problem])


def _already_open(stream: IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """Opened, and closed, by the one who found out that the file is there."""
    return nullcontext(stream)


def _files_of(kind: Capability, batch: Batch, items: Sequence[_Item]) -> dict[str, list[ResultFile]]:
    keys = [item.key for item in items if item.state == ItemState.SUCCEEDED]
    files: dict[str, list[ResultFile]] = defaultdict(list)
    for file in kind.files(batch, keys) if keys else ():
        files[file.key].append(file)
    return files


def _items_at_once(items: Any) -> Iterator[list[_Item]]:
    """The items in the order of work, 500 in memory. Each portion is a query of its own: a slow download must not hold
    a cursor, or a view of the past, open for an hour."""
    last = -1
    while True:
        rows = items.filter(position__gt=last).order_by("position")
        fields = ("position", "key", "label", "state", "error_type", "error_message")
        found = [_Item(*row) for row in rows.values_list(*fields)[:ITEMS_AT_ONCE]]
        if not found:
            return
        yield found
        last = found[-1].position


def _kind_of(batch: Batch) -> Capability | None:
    """The capability, or none for plain runs and for work that no app offers any more."""
    return next((kind for kind in capabilities.all_capabilities() if kind.slug == batch.capability), None)
