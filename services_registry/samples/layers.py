"""The layers of the sample fleet: a few that many functions share, some of them behind. Fixed seed, our own names."""

from __future__ import annotations

import random
from dataclasses import dataclass

from services_registry.samples.fleet import MB, SEED, FleetFunction


@dataclass(frozen=True, slots=True)
class SampleLayer:
    """`sizes`: zipped bytes of its versions, the first one first. `runtimes` of the newest; older ones lack the first."""

    name: str
    description: str
    runtimes: tuple[str, ...]
    sizes: tuple[int, ...]


LAYERS = (
    SampleLayer(
        "company-common", "Logging, tracing and the company's clients", ("python3.12", "python3.11", "python3.9"),
        (2 * MB, 2 * MB, 3 * MB, 4 * MB),
    ),
    SampleLayer("pdf-tools", "Rendering and reading of documents", ("python3.12", "python3.11"), (21 * MB, 24 * MB, 38 * MB)),
    SampleLayer("edifact", "EDIFACT and X12 messages", ("python3.11", "python3.9"), (6 * MB, 7 * MB)),
    SampleLayer("node-common", "Logging and the company's clients", ("nodejs22.x", "nodejs18.x"), (1 * MB, 1 * MB, 2 * MB)),
)  # fmt: skip
_MADE_FOR = {"pdf-tools": ("labels", "customs", "billing"), "edifact": ("partners",)}  # by the areas of the fleet


def layers_of(function: FleetFunction) -> list[tuple[str, int]]:
    """Names and versions of the layers that a sample function uses; mostly new ones."""
    dice = random.Random(f"{SEED}-{function.name}-layers")  # noqa: S311  # made-up data, nothing secret
    used = []
    for layer in LAYERS:
        areas = _MADE_FOR.get(layer.name)
        meant = areas is None or function.tags.get("capability") in areas
        if meant and function.runtime in layer.runtimes and dice.random() < 0.7:
            count = len(layer.sizes)
            weights = [1, 2, 5, 12][-count:]
            used.append((layer.name, dice.choices(range(1, count + 1), weights)[0]))
    return used
