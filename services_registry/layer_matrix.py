"""Which function uses which version of which layer, who is behind, and what an upgrade would touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from services_registry.choices import Basis, NewestFrom, Room
from services_registry.models import Function, Layer, LayerVersion
from services_registry.package_sizes import SURE, ZIP, FunctionSize, Size, Sizes, least_sure, room_of
from services_registry.registry.packages import UNZIPPED_LIMIT
from services_registry.registry.runtimes import deprecation_of

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

FIELDS = (
    "name", "region", "account", "runtime", "architecture", "package_type", "owner", "capability", "code_bytes",
    "code_sha256", "layers", "gone", "sample",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    """One function with one version of a layer. `behind` is in version numbers."""

    function: Function
    version: LayerVersion
    behind: int

    @property
    def misfit(self) -> str:
        return misfit(self.function, self.version)


@dataclass(slots=True)
class LayerUse:
    """One layer with everybody who uses it."""

    layer: Layer
    versions: list[LayerVersion]
    newest: LayerVersion | None
    size: Size | None
    uses: list[Use] = field(default_factory=list)

    @property
    def behind(self) -> list[Use]:
        return [use for use in self.uses if use.behind]

    @property
    def most_behind(self) -> int:
        return max((use.behind for use in self.uses), default=0)

    @property
    def in_use(self) -> list[tuple[LayerVersion, list[Use]]]:
        """The versions that are used, newest first, each with its users."""
        found: defaultdict[int, list[Use]] = defaultdict(list)
        for use in self.uses:
            found[use.version.version].append(use)
        return [(version, found[version.version]) for version in self.versions if version.version in found]

    @property
    def runtimes(self) -> list[str]:
        return self.newest.runtimes if self.newest else []

    @property
    def outdated(self) -> bool:
        """Whether every runtime it says it is for is deprecated."""
        dates = [deprecation_of(runtime) for runtime in self.runtimes]
        return bool(dates) and all(found is not None and found.on <= timezone.localdate() for found in dates)


def misfit(function: Function, version: LayerVersion) -> str:
    """Why a version is not meant for a function, in words; empty when it is, or does not say what it is for."""
    if version.runtimes and function.runtime not in version.runtimes:
        return _("not for %(runtime)s") % {"runtime": function.runtime or _("this function")}
    if version.architectures and function.architecture not in version.architectures:
        return _("not for %(architecture)s") % {"architecture": function.architecture}
    return ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """All layers and all functions at one moment: three queries."""

    by_pk: dict[int, LayerUse]
    sizes: dict[int, FunctionSize]

    @property
    def layers(self) -> list[LayerUse]:
        """Those worth a line: of layers that nobody here uses, only the account's own."""
        own = NewestFrom.LISTED
        return [
            entry for entry in self.by_pk.values() if entry.uses or (entry.newest and entry.layer.newest_from == own)
        ]

    def layer(self, pk: int) -> LayerUse | None:
        return self.by_pk.get(pk)


def present_functions() -> QuerySet[Function]:
    """What the pages about layers and sizes speak of: deployed as zip, and still there."""
    return Function.objects.filter(gone=None, package_type=ZIP).only(*FIELDS)


def matrix() -> Matrix:
    functions = list(present_functions())
    versions = list(LayerVersion.objects.select_related("layer").order_by("layer__name", "layer__arn", "-version"))
    sizes = Sizes(versions, functions)
    by_layer: defaultdict[int, list[LayerVersion]] = defaultdict(list)
    for version in versions:
        by_layer[version.layer_id].append(version)
    layers = {pk: _layer(of_layer, sizes) for pk, of_layer in by_layer.items()}
    measured = {function.pk: sizes.of_function(function) for function in functions}
    for size in measured.values():
        for part in size.layers:
            if part.row is not None:
                entry = layers[part.row.layer_id]
                newest = entry.newest.version if entry.newest else 0
                entry.uses.append(Use(size.function, part.row, max(0, newest - part.row.version)))
    return Matrix(layers, measured)


def _layer(versions: list[LayerVersion], sizes: Sizes) -> LayerUse:
    newest = next((version for version in versions if version.gone is None), None)
    return LayerUse(versions[0].layer, versions, newest, sizes.of_version(newest) if newest else None)


@dataclass(frozen=True, slots=True)
class Touched:
    """One function that an upgrade would change; sizes in unpacked bytes."""

    use: Use
    before: FunctionSize
    after: int
    basis: Basis
    misfit: str

    @property
    def room(self) -> Room:
        return room_of(self.after)

    @property
    def share(self) -> float:
        return self.after / UNZIPPED_LIMIT

    @property
    def worse(self) -> bool:
        """A finding of size that is not there yet."""
        return self.room in (Room.NEAR, Room.OVER) and self.room != self.before.room


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What bringing every other user of a layer to one version touches. Read only: nothing is changed."""

    to: LayerVersion
    touched: list[Touched]

    @property
    def owners(self) -> list[tuple[_StrOrPromise, int]]:
        """Whom to ask, with the number of their functions; most first."""
        counts: defaultdict[str, int] = defaultdict(int)
        for entry in self.touched:
            counts[entry.use.function.owner] += 1
        return sorted(((owner or _("nobody"), count) for owner, count in counts.items()), key=lambda pair: -pair[1])

    @property
    def refused(self) -> list[Touched]:
        """Certainly over the limit: every part of them was measured or stated."""
        return [entry for entry in self.touched if entry.room == Room.OVER and entry.basis in SURE]

    @property
    def doubtful(self) -> list[Touched]:
        """Over the limit by an estimate."""
        return [entry for entry in self.touched if entry.room == Room.OVER and entry.basis not in SURE]

    @property
    def worse(self) -> list[Touched]:
        return [entry for entry in self.touched if entry.worse]

    @property
    def misfits(self) -> list[Touched]:
        return [entry for entry in self.touched if entry.misfit]


def upgrade(entry: LayerUse, to: LayerVersion, sizes: dict[int, FunctionSize]) -> Upgrade:
    """Every function that uses another version of the layer, with its size and fit after the change."""
    known = Sizes(entry.versions, _functions(sizes.values()))
    touched = [
        _touched(use, to, sizes[use.function.pk], known) for use in entry.uses if use.version.version != to.version
    ]
    touched.sort(key=lambda one: (-one.after, one.use.function.name))
    return Upgrade(to, touched)


def _touched(use: Use, to: LayerVersion, before: FunctionSize, known: Sizes) -> Touched:
    old, new = known.of_version(use.version, use.function.runtime), known.of_version(to, use.function.runtime)
    after = before.total - (old.bytes or 0) + (new.bytes or 0)
    others = [part.size for part in before.layers if part.arn != use.version.arn]
    return Touched(use, before, max(0, after), least_sure(new, before.code, *others), misfit(use.function, to))


def _functions(sizes: Iterable[FunctionSize]) -> Sequence[Function]:
    return [size.function for size in sizes]
