"""The columns of the pages of layers and of sizes: how each is sorted and written into a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.utils.translation import gettext_lazy as _

from services_registry.layer_matrix import LayerUse
from services_registry.package_sizes import FunctionSize

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Sortable(Generic[RowT]):
    """A column; without `rank` the page does not sort by it."""

    name: str
    label: _StrOrPromise
    rank: Callable[[RowT], Any] | None = None
    numeric: bool = False


LAYERS: tuple[Sortable[LayerUse], ...] = (
    Sortable("name", _("Layer"), lambda row: row.layer.name.lower()),
    Sortable("newest", _("Newest"), lambda row: row.newest.version if row.newest else 0, numeric=True),
    Sortable("versions", _("Versions in use, by functions")),
    Sortable("functions", _("Functions"), lambda row: len(row.uses), numeric=True),
    Sortable("behind", _("Behind"), lambda row: (len(row.behind), row.most_behind), numeric=True),
    Sortable("size", _("Unpacked"), lambda row: (row.size.bytes or 0) if row.size else 0, numeric=True),
    Sortable("runtimes", _("Meant for")),
)
SIZES: tuple[Sortable[FunctionSize], ...] = (
    Sortable("name", _("Function"), lambda row: row.function.name.lower()),
    Sortable("code", _("Code"), lambda row: row.code.bytes or 0, numeric=True),
    Sortable("layers", _("Layers"), lambda row: row.layers_bytes or 0, numeric=True),
    Sortable("total", _("Together"), lambda row: row.total, numeric=True),
    Sortable("share", _("Of the limit"), lambda row: row.total, numeric=True),
)
USUAL_LAYERS, USUAL_SIZES = "-behind", "-share"


def sorted_by(columns: Sequence[Sortable[RowT]], rows: Iterable[RowT], sort: str, usual: str) -> list[RowT]:
    """By a column (`-size`: the other way round), by the first one among equals."""
    known = {column.name: column.rank for column in columns if column.rank}
    sort = sort if sort.lstrip("-") in known else usual
    first = known[columns[0].name]
    found = sorted(rows, key=first)
    return sorted(found, key=known[sort.lstrip("-")], reverse=sort.startswith("-"))


def heads_of(columns: Sequence[Sortable[RowT]], sort: str, usual: str) -> list[dict[str, Any]]:
    """The heads of a table; a click sorts by the column, a second click the other way round."""
    known = {column.name for column in columns if column.rank}
    sort = sort if sort.lstrip("-") in known else usual
    return [_head(column, sort) for column in columns]


def _head(column: Sortable[Any], sort: str) -> dict[str, Any]:
    present, down = sort.lstrip("-") == column.name, sort.startswith("-")
    wanted = f"-{column.name}" if (column.numeric and not present) or (present and not down) else column.name
    return {
        "label": column.label, "num": column.numeric, "sort": wanted if column.rank else "",
        "direction": ("descending" if down else "ascending") if present else "",
    }  # fmt: skip


LAYERS_FILE = (
    "layer_arn", "layer", "region", "account", "newest_version", "newest_from", "version", "behind", "version_deleted",
    "function", "owner", "runtime", "misfit",
)  # fmt: skip
SIZES_FILE = (
    "function", "arn", "owner", "runtime", "code_zipped_bytes", "zipped_bytes", "code_unpacked_bytes",
    "layers_unpacked_bytes", "unpacked_bytes", "share_of_limit", "room", "basis", "layers",
)  # fmt: skip


def layer_lines(layers: Iterable[LayerUse]) -> Iterable[Sequence[Any]]:
    """One line for each function with each layer; one without a function for a layer that nobody uses."""
    for entry in layers:
        layer = entry.layer
        newest = entry.newest.version if entry.newest else None
        head = (layer.arn, layer.name, layer.region, layer.account, newest, layer.newest_from)
        for use in entry.uses:
            function, version = use.function, use.version
            deleted = "yes" if version.gone else ""
            yield (
                *head,
                version.version,
                use.behind,
                deleted,
                function.name,
                function.owner,
                function.runtime,
                use.misfit,
            )
        if not entry.uses:
            yield *head, None, None, "", "", "", "", ""


def size_lines(sizes: Iterable[FunctionSize]) -> Iterable[Sequence[Any]]:
    for size in sizes:
        function = size.function
        yield (
            function.name, function.arn, function.owner, function.runtime, function.code_bytes, size.zipped, size.code.bytes,
            size.layers_bytes, size.total or None, size.share, size.room.value, size.basis.value,
            " ".join(part.arn for part in size.layers),
        )  # fmt: skip
