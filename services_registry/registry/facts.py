"""From AWS's answers to the fields of a `Function`. Pure; values of environment variables are dropped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from services_registry.choices import Kind

SAMPLE_TAG = "sample-data"
_KIND_OF_SOURCE = {"sqs": Kind.QUEUE, "mq": Kind.QUEUE}  # every other event source is a stream
_KIND_OF_CALLER = (
    ("apigateway.amazonaws.com", Kind.API), ("elasticloadbalancing.amazonaws.com", Kind.API),
    ("events.amazonaws.com", Kind.SCHEDULE), ("scheduler.amazonaws.com", Kind.SCHEDULE),
    ("s3.amazonaws.com", Kind.STORAGE), ("sns.amazonaws.com", Kind.TOPIC),
)  # fmt: skip


def facts_of(full: Mapping[str, Any], region: str) -> dict[str, Any]:
    """What a GetFunction answer states."""
    config = full["Configuration"]
    variables = config.get("Environment", {}).get("Variables", {})
    raw = {key: value for key, value in config.items() if key not in {"Environment", "ResponseMetadata"}}
    logging, vpc = config.get("LoggingConfig", {}), config.get("VpcConfig", {})
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
        "last_modified": time_of(config.get("LastModified")),
        "state": config.get("State") or "",
        "log_group": logging.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}",
        "logging": _present(
            format=logging.get("LogFormat"), level=logging.get("ApplicationLogLevel"),
            system_level=logging.get("SystemLogLevel"),
        ),
        "in_vpc": bool(vpc.get("VpcId")),
        "vpc": _present(
            subnets=sorted(vpc.get("SubnetIds") or []), security_groups=sorted(vpc.get("SecurityGroupIds") or [])
        ),
        "reserved_concurrency": full.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "layers": [
            {"arn": layer.get("Arn"), "bytes": layer.get("CodeSize", 0)} for layer in config.get("Layers") or []
        ],
        "environment_names": sorted(variables),
        "dead_letter": config.get("DeadLetterConfig", {}).get("TargetArn") or "",
        "tags": full.get("Tags") or {},
        "raw": raw,
        "sample": SAMPLE_TAG in (full.get("Tags") or {}),
    }  # fmt: skip


def event_sources_of(mappings: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Event source mappings by the ARN of the function they feed, without alias or version; sorted by their id.

    A state on its way ("Disabling") is told as where it leads, so that a sync in between is no change of its own.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for mapping in sorted(mappings, key=lambda mapping: str(mapping.get("UUID"))):
        arn = ":".join(mapping["FunctionArn"].split(":")[:7])
        found.setdefault(arn, []).append({
            "uuid": mapping["UUID"],
            "source": mapping.get("EventSourceArn") or "",
            "state": _settled(mapping.get("State") or ""),
            "batch_size": mapping.get("BatchSize"),
        })  # fmt: skip
    return found


def _settled(state: str) -> str:
    return {"Disabling": "Disabled", "Enabling": "Enabled", "Creating": "Enabled", "Updating": "Enabled"}.get(
        state, state
    )


def aliases_of(answer: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = ({"name": alias["Name"], "version": alias["FunctionVersion"]} for alias in answer)
    return sorted(found, key=lambda alias: alias["name"])


def async_settings_of(answer: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How failed asynchronous calls are repeated; an absent value is AWS's default (2 retries, 6 hours)."""
    found = []
    for config in answer:
        goes_to = config.get("DestinationConfig", {})
        found.append({"qualifier": _qualifier(config["FunctionArn"])} | _present(
            retries=config.get("MaximumRetryAttempts"), max_age_s=config.get("MaximumEventAgeInSeconds"),
            on_failure=goes_to.get("OnFailure", {}).get("Destination"),
            on_success=goes_to.get("OnSuccess", {}).get("Destination"),
        ))  # fmt: skip
    return sorted(found, key=lambda entry: str(entry["qualifier"]))


def provisioned_of(answer: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = (
        {
            "qualifier": _qualifier(config["FunctionArn"]),
            "environments": config.get("RequestedProvisionedConcurrentExecutions", 0),
        }
        for config in answer
    )
    return sorted(found, key=lambda entry: str(entry["qualifier"]))


def kind_of(event_sources: Sequence[Mapping[str, Any]], callers: Sequence[str]) -> Kind:
    """What makes the function run: a mapping says it best, else the first caller its policy names."""
    if event_sources:
        service = (str(event_sources[0]["source"]).split(":") + ["", "", ""])[2]
        return _KIND_OF_SOURCE.get(service, Kind.STREAM)
    return next((kind for caller, kind in _KIND_OF_CALLER if caller in callers), Kind.DIRECT)


def time_of(value: object) -> datetime | None:
    return parse_datetime(value) if isinstance(value, str) else None


def _qualifier(arn: str) -> str:
    parts = arn.split(":")
    return parts[7] if len(parts) > 7 else "$LATEST"


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [])}
