"""Bring in the layers of one region of one account, with those of other accounts that its functions use. Twice changes nothing.

1. ListLayers gives the account's own layers with their newest versions; the functions' rows say which versions are used.
2. A full run asks for all versions of each own layer: what AWS no longer has is kept and marked as gone.
3. What is used, newest, or between, is read once by GetLayerVersion: size, digest, runtimes. A version never changes.
4. Layers of other accounts are not listed to us. Where such a version lets itself be read, a full run asks for the next number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from core.aws import functions as aws
from core.aws.clients import Access
from core.aws.errors import AwsError, AwsNotFound, AwsRejected
from services_registry.choices import NewestFrom
from services_registry.models import Function, Layer, LayerVersion
from services_registry.registry.facts import time_of
from services_registry.registry.measuring import Measuring

MOST_ASKED_AHEAD = 10
"""Version numbers tried beyond the known ones, for one layer of another account in one run."""


@dataclass(slots=True)
class _Look:
    """One run over one place."""

    region: str
    access: Access
    account: str
    full: bool
    measuring: Measuring
    layers: dict[str, Layer] = field(default_factory=dict)
    versions: defaultdict[str, dict[int, LayerVersion]] = field(default_factory=lambda: defaultdict(dict))
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def where(self) -> dict[str, Any]:
        return {"region": self.region, "access": self.access}


def sync_layers(
    *, region: str, access: Access, account: str, full: bool, measuring: Measuring
) -> list[tuple[str, str]]:
    """Bring the layers in; what could not be read, each with the reason. A layer that fails hinders no other."""
    look = _Look(region, access, account, full, measuring)
    used = _used(region, account)
    for row in LayerVersion.objects.filter(layer__region=region).select_related("layer"):
        look.layers[row.layer.arn] = row.layer
        look.versions[row.layer.arn][row.version] = row
    for arn, code_bytes in used.items():
        _know(look, arn, code_bytes=code_bytes)
    listed = _list_own(look)
    for layer_arn in sorted({_layer_of(arn) for arn in used} | listed):
        try:
            _look_at(
                look, layer_arn, {_number(arn) for arn in used if _layer_of(arn) == layer_arn}, layer_arn in listed
            )
        except AwsError as error:
            look.failed.append((layer_arn, str(error)))
    return look.failed


def _used(region: str, account: str) -> dict[str, int]:
    """The layer versions that functions there use, with the zipped size that the functions' configurations state."""
    functions = Function.objects.filter(region=region, account=account, gone=None).exclude(layers=[])
    entries = (entry for layers in functions.values_list("layers", flat=True) for entry in layers)
    return {entry["arn"]: entry["bytes"] for entry in entries if _is_version(entry["arn"])}


def _list_own(look: _Look) -> set[str]:
    """The account's own layers; empty, with a failure, when AWS does not list them."""
    found = set()
    try:
        for entry in aws.list_layers(**look.where):
            found.add(entry["LayerArn"])
            _know_told(look, entry["LatestMatchingVersion"])
    except AwsError as error:
        look.failed.append(("layers", str(error)))
    return found


def _look_at(look: _Look, layer_arn: str, used: set[int], listed: bool) -> None:
    own = layer_arn.split(":")[4] == look.account
    if look.full and own:
        _list_versions(look, layer_arn, listed=listed)
    wanted = {max(_present(look, layer_arn), default=0)} | used
    for number, row in sorted(look.versions[layer_arn].items()):
        worth = number >= min(wanted) and row.gone is None and not row.code_sha256
        if worth and (look.full or not row.problem):
            _read(look, row)
    layer = look.layers[layer_arn]
    source = NewestFrom.LISTED if own and listed else NewestFrom.SEEN
    if not own and look.full and _ask_ahead(look, layer_arn):
        source = NewestFrom.ASKED
    if layer.newest_from != source and (look.full or own):
        Layer.objects.filter(pk=layer.pk).update(newest_from=source)


def _list_versions(look: _Look, layer_arn: str, *, listed: bool) -> None:
    """Every version AWS still has; what it no longer has is marked as gone."""
    there = set()
    try:
        for entry in aws.list_layer_versions(layer_arn.split(":")[6], **look.where):
            there.add(int(entry["Version"]))
            _know_told(look, entry)
    except AwsNotFound:  # the last version was deleted, and the layer with it
        pass
    if not there and listed:
        return  # one answer denies the other: nothing is concluded
    for number in _present(look, layer_arn) - there:
        _change(look.versions[layer_arn][number], gone=timezone.now())


def _present(look: _Look, layer_arn: str) -> set[int]:
    return {number for number, row in look.versions[layer_arn].items() if row.gone is None}


def _ask_ahead(look: _Look, layer_arn: str) -> bool:
    """Look for newer versions by their numbers; whether that told where they end."""
    known = look.versions[layer_arn]
    newest = max(_present(look, layer_arn), default=0)
    if not newest or known[newest].problem:
        return False
    for number in range(newest + 1, newest + 1 + MOST_ASKED_AHEAD):
        arn = f"{layer_arn}:{number}"
        try:
            told = aws.get_layer_version(arn, **look.where)
        except AwsRejected:  # there is none, or it is not for everybody
            return True
        _take(look, _know(look, arn), told)
    return False


def _read(look: _Look, row: LayerVersion) -> None:
    try:
        _take(look, row, aws.get_layer_version(row.arn, **look.where))
    except AwsNotFound:
        _change(row, gone=timezone.now())
    except AwsRejected as error:
        _change(row, problem=str(error)[:300])


def _take(look: _Look, row: LayerVersion, told: Mapping[str, Any]) -> None:
    content = told.get("Content", {})
    size, digest = content.get("CodeSize"), content.get("CodeSha256") or ""
    _change(row, code_bytes=size if size is not None else row.code_bytes, code_sha256=digest, problem="", **_said(told))
    look.measuring.look_at(digest, content.get("Location"), size or 0)


def _said(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": (told.get("Description") or "")[:256],
        "created": time_of(told.get("CreatedDate")),
        "runtimes": sorted(told.get("CompatibleRuntimes") or []),
        "architectures": sorted(told.get("CompatibleArchitectures") or []),
    }


def _know_told(look: _Look, told: Mapping[str, Any]) -> None:
    """A version that a listing told of."""
    _change(_know(look, told["LayerVersionArn"]), **_said(told))


def _know(look: _Look, arn: str, *, code_bytes: int | None = None) -> LayerVersion:
    """The row of a version, made when there is none yet."""
    layer_arn, number = _layer_of(arn), _number(arn)
    if number in look.versions[layer_arn]:
        return look.versions[layer_arn][number]
    if layer_arn not in look.layers:
        parts = layer_arn.split(":")
        look.layers[layer_arn], _new = Layer.objects.get_or_create(
            arn=layer_arn, defaults={"account": parts[4], "region": parts[3], "name": parts[6][:140]}
        )
    row, _new = LayerVersion.objects.get_or_create(
        arn=arn, defaults={"layer": look.layers[layer_arn], "version": number, "code_bytes": code_bytes}
    )
    look.versions[layer_arn][number] = row
    return row


def _change(row: LayerVersion, **values: str | int | datetime | Iterable[str] | None) -> None:
    """Write what differs, and nothing when nothing does."""
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, values[name])
    if differing:
        row.save(update_fields=differing)


def _is_version(arn: object) -> bool:
    parts = str(arn).split(":")
    return len(parts) == 8 and parts[7].isdecimal()


def _layer_of(arn: str) -> str:
    return arn.rpartition(":")[0]


def _number(arn: str) -> int:
    return int(arn.rpartition(":")[2])
