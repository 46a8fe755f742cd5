"""The sample fleet: 214 functions of a logistics company. Fixed seed, names made of our own words."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

FLEET_SIZE = 214
SEED = 20_260_823

_AREAS: dict[str, tuple[str, ...]] = {
    "labels": ("render-zpl", "render-pdf", "validate-address", "archive", "reprint", "check-digits"),
    "tracking": ("poll-{carrier}", "normalise-{carrier}", "push-customer", "detect-silence", "predict-eta"),
    "customs": ("declare-export", "classify-goods", "check-duties", "attach-invoice", "notify-broker"),
    "billing": ("rate-shipment", "invoice-customer", "match-{carrier}-invoice", "credit-note", "export-ledger"),
    "warehouse": ("plan-wave", "print-picklist", "count-stock", "slot-goods", "sync-wms"),
    "routing": ("plan-route", "geocode", "balance-load", "reroute-{carrier}", "estimate-toll"),
    "partners": ("import-{carrier}-edi", "export-{carrier}-edi", "sync-{carrier}-tariff", "webhook-{carrier}"),
    "customers": ("send-mail", "send-sms", "track-page", "survey", "claims-intake"),
    "platform": ("log-forwarder", "queue-drainer", "secrets-rotate", "cost-collector", "cleanup-tmp", "image-resize"),
}  # fmt: skip
_CARRIERS = ("iberpost", "rapide", "nordbahn", "veloce", "atlantico", "wisla")
_OWNERS = {
    "labels": "documents", "tracking": "tracking", "customs": "customs", "billing": "finance", "warehouse": "warehouse",
    "routing": "routing", "partners": "integrations", "customers": "customer care", "platform": "platform",
}  # fmt: skip
_RUNTIMES = (
    ("python3.12", 40), ("python3.11", 14), ("python3.9", 9), ("nodejs22.x", 14), ("nodejs18.x", 7), ("java21", 6),
    ("java11", 3), ("provided.al2023", 4), ("dotnet8", 3),
)  # fmt: skip
# These areas were put into the private network; the interfaces of labels, and of one function alone, tell them apart.
_SUBNETS = ["subnet-0a11ce0000000001", "subnet-0a11ce0000000002"]
_GROUPS = {"labels": "sg-01abe15000000001", "partners": "sg-0ba27ee500000002"}
ALONE, ALONE_GROUP = "partners-import-iberpost-edi", "sg-0be29057000000003"
MB = 2**20
_MODELS = {"tracking-predict-eta": 215 * MB, "customs-classify-goods": 205 * MB}
"""These carry a trained model, which hardly packs."""


@dataclass(frozen=True, slots=True)
class FleetFunction:
    """What is published of one sample function, and how its sample history behaves."""

    name: str
    runtime: str
    memory_mb: int
    timeout_s: int
    architecture: str
    code_bytes: int
    description: str
    tags: dict[str, str] = field(default_factory=dict)
    calls_per_day: float = 0.0
    typical_ms: float = 0.0
    error_share: float = 0.0
    timeout_share: float = 0.0
    cold_share: float = 0.0
    init_ms: float = 0.0
    vpc: dict[str, list[str]] = field(default_factory=dict)


def sample_fleet(executable: int) -> list[FleetFunction]:
    """The functions that fill the fleet up to `FLEET_SIZE` beside the really executable ones."""
    dice = random.Random(SEED)  # noqa: S311  # made-up data, nothing secret
    names: list[tuple[str, str]] = []
    for area, verbs in _AREAS.items():
        for verb in verbs:
            carriers = _CARRIERS if "{carrier}" in verb else ("",)
            names += [(area, f"{area}-{verb.format(carrier=carrier)}") for carrier in carriers]
    suffixes = ("", "-batch", "-retry", "-eu", "-v2", "-nightly")
    wanted = [(area, name + suffix) for suffix in suffixes for area, name in names][: FLEET_SIZE - executable]
    return [_function(dice, area, name) for area, name in wanted]


def _function(dice: random.Random, area: str, name: str) -> FleetFunction:
    runtime = dice.choices([r for r, _ in _RUNTIMES], [w for _, w in _RUNTIMES])[0]
    typical = 10 ** dice.uniform(1.2, 4.1)
    slow = "queue-drainer" in name or "log-forwarder" in name
    typical = 220_000.0 if slow and not name.endswith("-v2") else typical
    timeout = next(limit for limit in (3, 10, 30, 60, 300, 900) if limit * 1000 >= min(typical * 3, 900_000))
    return FleetFunction(
        name=name,
        runtime=runtime,
        memory_mb=dice.choice((128, 256, 256, 512, 512, 1024, 1024, 2048, 3008)),
        timeout_s=timeout,
        architecture="arm64" if dice.random() < 0.35 and not runtime.startswith("dotnet") else "x86_64",
        code_bytes=_MODELS.get(name, int(dice.choice((0.02, 0.4, 3, 8, 15, 24, 40, 66)) * MB * dice.uniform(0.7, 1.1))),
        description=f"{name.removeprefix(area + '-').replace('-', ' ').capitalize()} ({area})",
        tags={"owner": _OWNERS[area], "capability": area},
        calls_per_day=400.0 if slow else 10 ** dice.uniform(0.3, 3.9),
        typical_ms=typical,
        error_share=dice.choice((0.0, 0.0, 0.001, 0.004, 0.01, 0.03)),
        timeout_share=dice.choice((0.0, 0.0, 0.0, 0.0, 0.002, 0.02)) if not slow else 0.12,
        cold_share=dice.uniform(0.002, 0.12),
        init_ms=dice.uniform(120, 2600) if not runtime.startswith("java") else dice.uniform(1500, 6000),
        vpc=_vpc(area, name),
    )


def _vpc(area: str, name: str) -> dict[str, list[str]]:
    """What CreateFunction takes as VpcConfig; empty for functions outside the private network."""
    group = ALONE_GROUP if name == ALONE else _GROUPS.get(area)
    return {"SubnetIds": _SUBNETS, "SecurityGroupIds": [group]} if group else {}
