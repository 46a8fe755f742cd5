"""Code and layers of functions unpacked, against AWS's limit, and how sure each size is.

AWS tells zipped sizes only. What somebody measured or stated of a package holds for exactly that content; any other size is
estimated from the zipped one, with the ratio of the fleet's measured packages or, before there are enough of them, with ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services_registry.choices import Basis, Room, SizeSource
from services_registry.models import Function, LayerVersion, PackageSize
from services_registry.registry.packages import ENOUGH, NEAR, RATIOS, UNZIPPED_LIMIT, family_of

ZIP = "Zip"
SURE = (Basis.MEASURED, Basis.STATED)
_SURE_FIRST = (Basis.MEASURED, Basis.STATED, Basis.ESTIMATED, Basis.UNKNOWN)
_OF_SOURCE = {SizeSource.MEASURED.value: Basis.MEASURED, SizeSource.STATED.value: Basis.STATED}


@dataclass(frozen=True, slots=True)
class Size:
    """Unpacked bytes; None when not even the zipped size is known."""

    bytes: int | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class LayerPart:
    """One layer as a function uses it. `row` is None until a sync has seen the version."""

    arn: str
    row: LayerVersion | None
    size: Size


@dataclass(slots=True)
class FunctionSize:
    """One function deployed as zip. `total` leaves out parts of unknown size; then `basis` says so."""

    function: Function
    code: Size
    layers: list[LayerPart] = field(default_factory=list)

    @property
    def total(self) -> int:
        """At most the limit where it is estimated: AWS takes no function beyond it."""
        whole = (self.code.bytes or 0) + sum(part.size.bytes or 0 for part in self.layers)
        return whole if self.basis in SURE else min(whole, UNZIPPED_LIMIT)

    @property
    def basis(self) -> Basis:
        return least_sure(self.code, *(part.size for part in self.layers))

    @property
    def zipped(self) -> int:
        return self.function.code_bytes + sum(int(layer["bytes"] or 0) for layer in self.function.layers)

    @property
    def layers_bytes(self) -> int | None:
        sizes = [part.size.bytes for part in self.layers if part.size.bytes is not None]
        return sum(sizes) if sizes else None

    @property
    def share(self) -> float | None:
        return self.total / UNZIPPED_LIMIT if self.total else None

    @property
    def room(self) -> Room:
        return room_of(self.total)


def room_of(total: int) -> Room:
    """Where so many unpacked bytes stand against the limit; 0 stands for not known."""
    if not total:
        return Room.UNKNOWN
    if total > UNZIPPED_LIMIT:
        return Room.OVER
    return Room.NEAR if total > UNZIPPED_LIMIT * NEAR else Room.FINE


def least_sure(*sizes: Size) -> Basis:
    return max((size.basis for size in sizes), key=_SURE_FIRST.index)


class Sizes:
    """Everything that is known of these packages, read at once."""

    def __init__(self, versions: Iterable[LayerVersion], functions: Sequence[Function]) -> None:
        self.versions = {version.arn: version for version in versions}
        contents = {version.content for version in self.versions.values()} | {row.code_sha256 for row in functions}
        contents |= {entry["arn"] for row in functions for entry in row.layers}  # of versions that no sync has seen
        # One array instead of a thousand parameters.
        known = PackageSize.objects.extra(where=["content = ANY(%s)"], params=[list(contents - {""})])  # noqa: S610
        rows = known.order_by().values_list("content", "unzipped_bytes", "source")
        self._known = {content: (size, source) for content, size, source in rows}
        self._ratios = RATIOS | self._measured_ratios(functions)

    def _measured_ratios(self, functions: Iterable[Function]) -> dict[str, float]:
        """Of the families of which enough different packages were measured."""
        found: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        for content, zipped, runtime in self._packages(functions):
            size, source = self._known.get(content, (0, ""))
            if zipped and source == SizeSource.MEASURED:
                found[family_of(runtime)][content] = (size, zipped)
        return {
            family: sum(size for size, _ in packages.values()) / sum(zipped for _, zipped in packages.values())
            for family, packages in found.items()
            if len(packages) >= ENOUGH
        }

    def _packages(self, functions: Iterable[Function]) -> Iterable[tuple[str, int, str]]:
        for function in functions:
            if function.code_sha256 in self._known:
                yield function.code_sha256, function.code_bytes, function.runtime
        for version in self.versions.values():
            if version.content in self._known:
                yield version.content, version.code_bytes or 0, (version.runtimes or [""])[0]

    def of(self, content: str, zipped: int | None, runtime: str) -> Size:
        """The size of one package."""
        if content in self._known:
            size, source = self._known[content]
            return Size(size, _OF_SOURCE[source])
        if not zipped:
            return Size(None, Basis.UNKNOWN)
        estimated = round(zipped * self._ratios[family_of(runtime)])
        return Size(min(estimated, UNZIPPED_LIMIT), Basis.ESTIMATED)

    def of_version(self, version: LayerVersion, runtime: str = "") -> Size:
        """The size of a layer version; `runtime` counts where it does not say what it is for."""
        return self.of(version.content, version.code_bytes, (version.runtimes or [runtime])[0])

    def of_layer(self, entry: dict[str, Any], function: Function) -> LayerPart:
        row = self.versions.get(entry["arn"])
        if row is None:
            return LayerPart(entry["arn"], None, self.of(entry["arn"], entry["bytes"], function.runtime))
        return LayerPart(entry["arn"], row, self.of_version(row, function.runtime))

    def of_function(self, function: Function) -> FunctionSize:
        code = self.of(function.code_sha256, function.code_bytes, function.runtime)
        return FunctionSize(function, code, [self.of_layer(entry, function) for entry in function.layers])


def sizes_of(functions: Sequence[Function]) -> list[FunctionSize]:
    """Of those that are deployed as zip; images have another limit. Three queries whatever their number."""
    zipped = [function for function in functions if function.package_type == ZIP]
    sizes = Sizes(LayerVersion.objects.select_related("layer"), zipped)
    return [sizes.of_function(function) for function in zipped]
