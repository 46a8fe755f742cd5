"""What AWS says of one function at this moment: what a stop and a restore are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.aws import functions as aws
from core.aws.errors import AwsError
from services_registry.models import Function
from services_registry.registry import access_to
from services_registry.registry.facts import async_settings_of, event_sources_of, facts_of

ON = "Enabled"
COMPARED = ("code_sha256", "timeout_s", "memory_mb", "runtime", "handler", "architecture", "layers")
"""Fields of which a restore tells when they changed since the stop."""


@dataclass(frozen=True, slots=True)
class Live:
    """`reserved` is None when none is reserved, which is not 0. `async_settings` as in the registry."""

    reserved: int | None
    mappings: list[dict[str, Any]]
    async_settings: list[dict[str, Any]]
    dead_letter: str
    timeout_s: int
    configuration: dict[str, Any]

    def mapping(self, uuid: str) -> dict[str, Any] | None:
        return next((mapping for mapping in self.mappings if mapping["uuid"] == uuid), None)


def read_live(function: Function) -> Live:
    """Three kinds of calls: the function, the region's mappings, the asynchronous settings.

    Raises:
        AwsNotFound: the function is gone.
        AwsError: AWS does not answer, or not to us.
    """
    region, access = function.region, access_to(function)
    facts = facts_of(aws.get_function(function.name, region=region, access=access), region)
    mappings = event_sources_of(aws.list_event_sources(region=region, access=access)).get(function.arn, [])
    return Live(
        reserved=facts["reserved_concurrency"],
        mappings=mappings,
        async_settings=_async_settings(function),
        dead_letter=facts["dead_letter"],
        timeout_s=facts["timeout_s"],
        configuration={name: facts[name] for name in COMPARED},
    )


def _async_settings(function: Function) -> list[dict[str, Any]]:
    """Those on record when this one question is refused: the rights for it are not needed for a stop."""
    try:
        answer = aws.async_settings(function.name, region=function.region, access=access_to(function))
    except AwsError:
        return list(function.async_settings)
    return async_settings_of(answer)
