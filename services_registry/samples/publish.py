"""Publish functions to the local AWS through the ordinary API, so that they come in by the same sync as in production."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from django.conf import settings

from core.aws import functions as aws
from core.aws.errors import AwsError
from services_registry.samples.fleet import FleetFunction
from services_registry.samples.layers import LAYERS, layers_of

ROLE = "arn:aws:iam::123456789012:role/lambda-execution"
# Understood by the local AWS alone: what GetFunction and ListFunctions answer as CodeSize.
CODE_SIZE_TAG = "local:code-size"
SAMPLE_TAGS = {"sample-data": "yes"}


def present_functions() -> set[str]:
    """Names of the functions that AWS lists now."""
    return {configuration["FunctionName"] for configuration in aws.list_functions(region=settings.AWS_REGION)}


def publish_function(*, name: str, code_zip: bytes, tags: dict[str, str], **configuration: object) -> None:
    """Create one function. `configuration` is what CreateFunction takes (Runtime, Handler, MemorySize, ...)."""
    aws.create_function(
        region=settings.AWS_REGION, code_zip=code_zip, FunctionName=name, Role=ROLE, Tags=tags, **configuration
    )


def publish_fleet(fleet: list[FleetFunction]) -> int:
    """Create the sample functions that are not there yet; returns how many were created."""
    present = present_functions()
    missing = [function for function in fleet if function.name not in present]
    layers = _publish_layers() if missing else {}
    for function in missing:
        publish_function(
            name=function.name,
            code_zip=_empty_code(function.name),
            tags={**function.tags, **SAMPLE_TAGS, CODE_SIZE_TAG: str(function.code_bytes)},
            Runtime=function.runtime,
            Handler="app.handler",
            Description=function.description,
            MemorySize=function.memory_mb,
            Timeout=function.timeout_s,
            Architectures=[function.architecture],
            Layers=[layers[used] for used in layers_of(function) if used in layers],
            **({"VpcConfig": function.vpc} if function.vpc else {}),
        )
    return len(missing)


def _publish_layers() -> dict[tuple[str, int], str]:
    """The sample layers' versions that are not there yet; the ARNs of all of them by name and version."""
    region, arns = settings.AWS_REGION, {}
    for layer in LAYERS:
        there = {
            int(row["Version"]): row["LayerVersionArn"] for row in aws.list_layer_versions(layer.name, region=region)
        }
        for version, size in enumerate(layer.sizes, start=1):
            if version not in there:
                runtimes = layer.runtimes[0 if version == len(layer.sizes) else 1 :]
                there[version] = aws.publish_layer(
                    layer.name, region=region, code_zip=_empty_code(f"{layer.name} {version}"),
                    Description=layer.description, CompatibleRuntimes=list(runtimes), LicenseInfo=f"{CODE_SIZE_TAG}={size}",
                )  # fmt: skip
            arns[layer.name, version] = there[version]
    return arns


def _empty_code(name: str) -> bytes:
    """A zip without a handler: such a function is listed like any other and answers ImportModuleError when run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("README.txt", (2026, 1, 1, 0, 0, 0)), f"{name}: sample function without code\n"
        )
    return buffer.getvalue()


def publish_configurations(functions: list[dict[str, Any]]) -> tuple[int, list[tuple[str, str]]]:
    """Publish configurations as an account's owner described them; returns (published, [(name, why refused)]).

    A configuration without a runtime is published as a container image. Names that are there already count as published.
    """
    present = present_functions()
    published, refused = 0, []
    for entry in functions:
        name = str(entry.get("function_name") or "")
        if name in present:
            published += 1
            continue
        try:
            _publish_configuration(name, entry)
        except (AwsError, ValueError) as error:
            refused.append((name, str(error)))
            continue
        present.add(name)
        published += 1
    return published, refused


def _publish_configuration(name: str, entry: dict[str, Any]) -> None:
    if not name:
        raise ValueError("no function_name")
    tags = {CODE_SIZE_TAG: str(entry["code_size"])} if entry.get("code_size") else {}
    kind: dict[str, object] = {"PackageType": "Image"}
    if entry.get("runtime"):
        kind = {"Runtime": entry["runtime"], "Handler": entry.get("handler") or "app.handler"}
    publish_function(
        name=name,
        code_zip=_empty_code(name),
        tags=tags,
        Description=str(entry.get("description") or "")[:256],
        MemorySize=int(entry.get("memory_mb") or 128),
        Timeout=int(entry.get("timeout_s") or 3),
        Architectures=[entry.get("architecture") or "x86_64"],
        Environment={"Variables": {str(key): "not-taken-over" for key in entry.get("environment_keys") or []}},
        **kind,
    )
