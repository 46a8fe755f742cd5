"""Bring the functions of one region in from AWS. Running it twice changes nothing.

1. ListFunctions, page by page, gives every configuration.
2. New or changed ones (by RevisionId, CodeSha256 and LastModified) are read in full by GetFunction: tags, concurrency.
3. What differs from the row becomes the row and a `FunctionRevision` with the differences.
4. Functions that AWS no longer lists are kept and marked as gone, unless the listing broke off.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.aws import functions as aws
from core.aws.errors import AwsError
from services_registry.models import Function, FunctionRevision

logger = logging.getLogger(__name__)

# Fields whose change is worth a revision; the others (synced, raw) follow silently.
WATCHED = (
    "description", "runtime", "handler", "architecture", "package_type", "memory_mb", "timeout_s", "ephemeral_mb",
    "code_bytes", "code_sha256", "state", "log_group", "in_vpc", "reserved_concurrency", "layers", "environment_names",
    "dead_letter", "tags",
)  # fmt: skip
HAND_KEPT = ("owner", "capability")
SAMPLE_TAG = "sample-data"


@dataclass(slots=True)
class SyncResult:
    seen: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def sync_functions(*, region: str) -> SyncResult:
    """Sync one region. A function that cannot be read is reported and leaves its row as it was.

    Raises:
        AwsError: the listing itself failed; nothing is marked as gone then.
    """
    result = SyncResult()
    rows = {row.arn: row for row in Function.objects.filter(region=region)}
    listed: set[str] = set()
    for configuration in aws.list_functions(region=region):
        result.seen += 1
        arn = configuration["FunctionArn"]
        listed.add(arn)
        row = rows.get(arn)
        try:
            _sync_one(row, configuration, region, result)
        except (AwsError, KeyError, ValueError) as error:
            logger.warning("function not synced function=%s error=%s", arn, error)
            result.failed.append((arn, str(error)))
    result.gone = _mark_gone(region, listed)
    return result


def _sync_one(row: Function | None, configuration: dict[str, Any], region: str, result: SyncResult) -> None:
    if row and row.gone is None and _same(row, configuration):
        result.unchanged += 1
        return
    full = aws.get_function(configuration["FunctionName"], region=region)
    facts = facts_of(full, region)
    with transaction.atomic():
        if row is None:
            row = Function.objects.create(**facts, **_hand_kept(facts["tags"]))
            FunctionRevision.objects.create(function=row, changed=row.last_modified)
            result.created += 1
            return
        changes = {name: [getattr(row, name), facts[name]] for name in WATCHED if getattr(row, name) != facts[name]}
        if row.gone:
            changes["gone"] = [row.gone.isoformat(), None]
        for name, value in facts.items():
            setattr(row, name, value)
        row.gone, row.synced = None, timezone.now()
        row.save()
        if changes:
            FunctionRevision.objects.create(function=row, changed=row.last_modified, changes=changes)
            result.changed += 1
        else:
            result.unchanged += 1


def _same(row: Function, configuration: dict[str, Any]) -> bool:
    return (
        row.revision_id == configuration.get("RevisionId", "")
        and row.code_sha256 == configuration.get("CodeSha256", "")
        and row.last_modified == _time(configuration.get("LastModified"))
    )


def facts_of(full: dict[str, Any], region: str) -> dict[str, Any]:
    """The fields of a `Function` that a GetFunction answer states. Environment values are dropped here."""
    config = full["Configuration"]
    variables = config.get("Environment", {}).get("Variables", {})
    raw = {key: value for key, value in config.items() if key not in {"Environment", "ResponseMetadata"}}
    return {
        "account": config["FunctionArn"].split(":")[4],
        "region": region,
        "name": config["FunctionName"],
        "arn": config["FunctionArn"],
        "description": config.get("Description") or "",
        "runtime": config.get("Runtime") or "",
        "handler": config.get("Handler") or "",
        "architecture": (config.get("Architectures") or ["x86_64"])[0],
        "package_type": config.get("PackageType") or "Zip",
        "memory_mb": int(config.get("MemorySize") or 128),
        "timeout_s": int(config.get("Timeout") or 3),
        "ephemeral_mb": int(config.get("EphemeralStorage", {}).get("Size") or 512),
        "code_bytes": int(config.get("CodeSize") or 0),
        "code_sha256": config.get("CodeSha256") or "",
        "revision_id": config.get("RevisionId") or "",
        "last_modified": _time(config.get("LastModified")),
        "state": config.get("State") or "",
        "log_group": config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}",
        "in_vpc": bool(config.get("VpcConfig", {}).get("VpcId")),
        "reserved_concurrency": full.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "layers": [
            {"arn": layer.get("Arn"), "bytes": layer.get("CodeSize", 0)} for layer in config.get("Layers") or []
        ],
        "environment_names": sorted(variables),
        "dead_letter": config.get("DeadLetterConfig", {}).get("TargetArn") or "",
        "tags": full.get("Tags") or {},
        "raw": raw,
        "sample": SAMPLE_TAG in (full.get("Tags") or {}),
    }


def _hand_kept(tags: dict[str, str]) -> dict[str, str]:
    """First values of the fields people keep afterwards; never overwritten by a later sync."""
    return {name: str(tags.get(name, ""))[:80] for name in HAND_KEPT}


def _time(value: object) -> datetime | None:
    return parse_datetime(value) if isinstance(value, str) else None


def _mark_gone(region: str, listed: set[str]) -> int:
    missing = (
        Function.objects.filter(region=region, gone=None).exclude(arn__in=listed).exclude(arn__startswith="local:")
    )
    count = 0
    for row in missing:
        row.gone = timezone.now()
        row.save(update_fields=["gone"])
        FunctionRevision.objects.create(function=row, changes={"gone": [None, row.gone.isoformat()]})
        count += 1
    return count
