"""Which function a batch calls, and how much it is given at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from services_registry.capabilities import Capability
from services_registry.models import CapabilityBinding, Function

DEFAULT_TIMEOUT_S = 900
"""The longest a function can run; assumed for one the registry has not seen yet."""


@dataclass(frozen=True, slots=True)
class Target:
    """Times in seconds; `concurrency` in invocations at once."""

    function_name: str
    region: str
    qualifier: str
    chunk_size: int
    concurrency: int


def target_of(capability: Capability) -> Target:
    """The bound function, or the capability's default."""
    binding = CapabilityBinding.objects.filter(capability=capability.slug).first()
    if binding is None:
        return Target(
            capability.default_function,
            settings.AWS_REGION,
            "",
            capability.default_chunk_size,
            capability.default_concurrency,
        )
    return Target(
        binding.function_name,
        binding.region or settings.AWS_REGION,
        binding.qualifier,
        max(1, binding.chunk_size),
        max(1, binding.concurrency),
    )


def function_row(name: str, region: str) -> Function | None:
    """The registry's row of a function, None when no sync has seen it."""
    return Function.objects.filter(name=name, region=region or settings.AWS_REGION).order_by("gone").first()


def timeout_of(name: str, region: str) -> int:
    """The function's own time-out in seconds."""
    row = function_row(name, region)
    return row.timeout_s if row else DEFAULT_TIMEOUT_S
