"""Bring the functions of one region of one account in from AWS. Running it twice changes nothing.

1. ListFunctions and ListEventSourceMappings, page by page, give every configuration and every mapping.
2. New or changed ones (by RevisionId, CodeSha256 and LastModified) are read in full by GetFunction: tags, concurrency.
   A full run reads every one, and what the listing does not tell: aliases, asynchronous settings, warm environments, callers.
3. What differs from the row becomes the row and a `FunctionRevision` with the differences.
4. Functions that AWS no longer lists are kept and marked as gone, unless the listing broke off.
5. The layers follow (`layers`). Whoever subscribed to it is told of each change (`telling`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.aws import functions as aws
from core.aws.clients import OWN, Access, account_number
from core.aws.errors import AwsError
from services_registry.models import Function, FunctionRevision
from services_registry.registry.facts import (
    aliases_of,
    async_settings_of,
    event_sources_of,
    facts_of,
    kind_of,
    provisioned_of,
    time_of,
)
from services_registry.registry.layers import sync_layers
from services_registry.registry.measuring import Measuring
from services_registry.registry.telling import tell_changed

logger = logging.getLogger(__name__)

# Fields whose change is worth a revision; the others (synced, raw) follow silently.
WATCHED = (
    "description", "runtime", "handler", "architecture", "package_type", "memory_mb", "timeout_s", "ephemeral_mb",
    "code_bytes", "code_sha256", "state", "log_group", "logging", "in_vpc", "vpc", "reserved_concurrency", "layers",
    "environment_names", "dead_letter", "tags", "event_sources", "aliases", "async_settings", "provisioned", "callers",
)  # fmt: skip
_DETAILS = frozenset({"aliases", "async_settings", "provisioned", "callers", "logging", "vpc"})
HAND_KEPT = ("owner", "capability")


@dataclass(slots=True)
class SyncResult:
    seen: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    region: str
    access: Access
    full: bool
    began: datetime
    measuring: Measuring


def sync_functions(*, region: str, access: Access = OWN, full: bool = False) -> SyncResult:
    """Sync one region. A function that cannot be read is reported and leaves its row as it was.

    Raises:
        AwsError: the listing itself failed; nothing is marked as gone then.
    """
    result, place = SyncResult(), _Place(region, access, full, timezone.now(), Measuring.begin())
    number = account_number(access)
    rows = {row.arn: row for row in Function.objects.filter(region=region)}
    sources = event_sources_of(aws.list_event_sources(region=region, access=access))
    listed: set[str] = set()
    for configuration in aws.list_functions(region=region, access=access):
        result.seen += 1
        arn = configuration["FunctionArn"]
        listed.add(arn)
        try:
            _sync_one(rows.get(arn), configuration, sources.get(arn, []), place, result)
        except (AwsError, KeyError, ValueError) as error:
            logger.warning("function not synced function=%s error=%s", arn, error)
            result.failed.append((arn, str(error)))
    result.gone = _mark_gone(region, number, listed)
    result.failed += sync_layers(region=region, access=access, account=number, full=full, measuring=place.measuring)
    if place.measuring.problem:
        result.failed.append(("packages", place.measuring.problem))
    return result


def _sync_one(
    row: Function | None,
    configuration: dict[str, Any],
    sources: list[dict[str, Any]],
    place: _Place,
    result: SyncResult,
) -> None:
    known = row is not None and row.gone is None and _same(row, configuration)
    if row is not None and known and row.event_sources == sources and not place.full:
        result.unchanged += 1
        return
    name = configuration["FunctionName"]
    facts: dict[str, Any] = {"event_sources": sources}
    if not known or place.full:
        told = aws.get_function(name, region=place.region, access=place.access)
        facts |= facts_of(told, place.region)
        place.measuring.look_at(facts["code_sha256"], told.get("Code", {}).get("Location"), facts["code_bytes"])
    if place.full:
        facts |= _details(name, place)
    callers = facts.get("callers", row.callers if row else [])
    facts["kind"] = kind_of(sources, callers)
    with transaction.atomic():
        if row is None:
            row = Function.objects.create(**facts, **_hand_kept(facts["tags"]))
            FunctionRevision.objects.create(function=row, changed=row.last_modified)
            result.created += 1
        elif _write(row, facts):
            result.changed += 1
        else:
            result.unchanged += 1


def _details(name: str, place: _Place) -> dict[str, Any]:
    """What takes four more calls a function. A part that this AWS cannot tell is left as it is known."""
    where: dict[str, Any] = {"region": place.region, "access": place.access}
    found = {
        "aliases": aliases_of(aws.list_aliases(name, **where)),
        "async_settings": async_settings_of(aws.async_settings(name, **where)),
        "callers": aws.callers(name, **where),
        "details_read": place.began,
    }
    warm = aws.provisioned_concurrency(name, **where)
    return found if warm is None else found | {"provisioned": provisioned_of(warm)}


def _write(row: Function, facts: dict[str, Any]) -> bool:
    """Take the facts over; whether anything worth a revision differs. What was not known before is no change."""
    unknown = _DETAILS if row.details_read is None else frozenset[str]()
    changes = {
        name: [getattr(row, name), facts[name]]
        for name in WATCHED
        if name in facts and name not in unknown and getattr(row, name) != facts[name]
    }
    if row.gone:
        changes["gone"] = [row.gone.isoformat(), None]
    for name, value in facts.items():
        setattr(row, name, value)
    row.gone, row.synced = None, timezone.now()
    row.save()
    if changes:
        tell_changed(FunctionRevision.objects.create(function=row, changed=row.last_modified, changes=changes))
    return bool(changes)


def _same(row: Function, configuration: dict[str, Any]) -> bool:
    return (
        row.revision_id == configuration.get("RevisionId", "")
        and row.code_sha256 == configuration.get("CodeSha256", "")
        and row.last_modified == time_of(configuration.get("LastModified"))
    )


def _hand_kept(tags: dict[str, str]) -> dict[str, str]:
    """First values of the fields people keep afterwards; never overwritten by a later sync."""
    return {name: str(tags.get(name, ""))[:80] for name in HAND_KEPT}


def _mark_gone(region: str, number: str, listed: set[str]) -> int:
    count = 0
    for row in Function.objects.filter(region=region, account=number, gone=None).exclude(arn__in=listed):
        with transaction.atomic():
            row.gone = timezone.now()
            row.save(update_fields=["gone"])
            changes = {"gone": [None, row.gone.isoformat()]}
            tell_changed(FunctionRevision.objects.create(function=row, changes=changes))
        count += 1
    return count
