"""A revision's differences in words: what a person reads on a function's page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core import formats
from services_registry.models import FunctionRevision

LONGEST = 300  # characters shown of one value
_UNITS = {"memory_mb": " MB", "ephemeral_mb": " MB", "timeout_s": " s"}


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    before: str
    after: str


def readable_changes(revision: FunctionRevision) -> list[Change]:
    """One entry for each changed field, in alphabetical order; empty for a first revision."""
    return [
        Change(label_of(name), _text(name, before), _text(name, after))
        for name, (before, after) in sorted(revision.changes.items())
    ]


def label_of(name: str) -> str:
    """A watched field as people read it."""
    bare = name.removesuffix("_mb").removesuffix("_s").replace("_bytes", " size")
    return bare.replace("_", " ")


def _text(name: str, value: Any) -> str:
    if value is None or value == "" or value == [] or value == {}:
        return formats.NO_VALUE
    if name == "code_bytes":
        return formats.bytes_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(part, dict) for part in value):
        return "; ".join(_entry(part) for part in value)[:LONGEST]
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)[:LONGEST]
    return f"{value}{_UNITS.get(name, '')}"[:LONGEST]


def _entry(part: dict[str, Any]) -> str:
    """One mapping, alias or layer in a line: its values, without what only machines need."""
    return " ".join(str(value) for name, value in sorted(part.items()) if name != "uuid" and value not in (None, ""))
