"""Asking the fetch function at once, for a person who waits: try a connection, show what lies in a directory.

The network stays with the function; the dashboard never connects to a carrier itself.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _

from core.audit import record
from core.aws import invoke as aws
from services_registry import capabilities
from services_registry.batches.target import target_of
from services_registry.capabilities import NotNow
from shipments.connections.health import session_for_test
from shipments.connections.listing import moment_of
from shipments.connections.matching import Match, match_all, pattern_of
from shipments.connections.payload import connection_of
from shipments.connections.words import in_words
from shipments.functions.runtime.errors import ItemError
from shipments.models import CarrierConnection

PATIENCE_S = 45
LONGEST_STEP_S = 8
"""A person waits: each answer of the server has at most this."""
MOST_SHOWN = 500
INLINE_BYTES = 4_500_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the function said, or in words why it did not."""

    value: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    error_type: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One listed file, and what the pattern makes of it."""

    name: str
    path: str
    size: int | None
    modified: datetime | None
    taken: bool
    match: Match


def check(connection: CarrierConnection, *, actor: Any) -> Asked:
    """Try the connection step by step, as it is saved."""
    asked = _ask(connection, {"do": "check", "document_type": connection.document_type})
    record(
        actor=actor, verb="connection.tested", target=connection, summary=str(connection),
        after={"ok": bool(asked.value.get("ok")), "problem": asked.problem[:300]},
    )  # fmt: skip
    return asked


def live_listing(connection: CarrierConnection, *, directory: str, pattern: str) -> Asked:
    """What lies in a directory now, with a pattern that need not be saved."""
    trial = copy.copy(connection)
    trial.directory, trial.pattern = directory, pattern
    return _ask(trial, {"do": "list", "limit": MOST_SHOWN, "document_type": connection.document_type})


def judged(connection: CarrierConnection, directory: str, pattern: str, value: Mapping[str, Any]) -> list[Shown]:
    """Each listed file: whether the pattern takes it, and whose it is.

    Raises:
        ItemError: the pattern cannot work.
    """
    trial = copy.copy(connection)
    trial.directory, trial.pattern = directory, pattern
    path = pattern_of(trial)
    entries: Sequence[Mapping[str, Any]] = value.get("files", [])
    numbers = {str(e["address"]): path.candidates(str(e.get("folder", "")), str(e["name"])) for e in entries}
    matches = match_all(connection.carrier_id, numbers)
    return [
        Shown(
            str(e["name"]), str(e.get("path", "")), e.get("size"), moment_of(e.get("modified"), connection.zone),
            bool(numbers[str(e["address"])]), matches[str(e["address"])],
        )
        for e in entries
    ]  # fmt: skip


def _ask(connection: CarrierConnection, item: Mapping[str, Any]) -> Asked:
    try:
        with session_for_test(connection.pk):
            return _invoke(connection, item)
    except NotNow as busy:
        return Asked(problem=busy.message, error_type=busy.type)


def _invoke(connection: CarrierConnection, item: Mapping[str, Any]) -> Asked:
    told = connection_of(connection)
    told["timeout_s"] = min(told["timeout_s"], LONGEST_STEP_S)
    envelope = {
        "version": 1, "batch": "", "chunk": f"test-{uuid4()}", "context": {"connection": told},
        "items": [{"id": "1", **item}], "results": {"inline_limit": INLINE_BYTES},
    }  # fmt: skip
    target = target_of(capabilities.get("fetch_documents"))
    answer = aws.invoke(
        target.function_name, json.dumps(envelope).encode(), region=target.region, qualifier=target.qualifier,
        timeout_s=PATIENCE_S,
    )  # fmt: skip
    if answer.outcome != aws.SUCCEEDED:
        said = answer.error_message.split("\n", 1)[0]
        return Asked(
            problem=_("The fetch function did not answer: %(said)s") % {"said": said}, error_type=answer.outcome
        )
    return _read(answer.payload)


def _read(payload: bytes) -> Asked:
    try:
        (entry,) = json.loads(payload)["results"]
        if entry["ok"]:
            return Asked(value=dict(entry["value"]))
        error = entry["error"]
        return Asked(problem=in_words(str(error["type"]), str(error["message"])), error_type=str(error["type"]))
    except (ValueError, KeyError, TypeError):
        return Asked(problem=_("The fetch function's answer cannot be read: is its newest version deployed?"))


__all__ = ["Asked", "ItemError", "Shown", "check", "judged", "live_listing"]
