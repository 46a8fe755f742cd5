"""EC2-Other of one month split to functions. Parts add up to what was billed, to the last digit.

1. Measured: a billed resource of which `ResourceUse` says that one function alone uses it, or a capability tag on the line
   that one function in a VPC bears.
2. Measured for a group, shared within it: the same where several functions are meant. Each function's part is allocated.
3. Allocated: all other network charges, to the functions in a VPC of that account and region, by their estimated bytes.
4. What is left cannot be attributed: disks, addresses, other users of the network, regions without such functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from costs.ec2_other.assumptions import Assumptions, share
from costs.ec2_other.choices import NETWORK, Basis, GroupBy, UsageKind
from costs.ec2_other.network import Use
from costs.ec2_other.reading import Line, ResourceSum
from costs.estimate import EXACT, exact_sum
from costs.models import ResourceUse
from services_registry.models import Function

_FINEST = -40  # parts are whole multiples of 1e-40, or finer where an amount is
Place = tuple[UsageKind, str, str, str]  # kind, region, account, capability


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the billed amount of one kind. `function` is None for what cannot be attributed."""

    kind: UsageKind
    amount: Decimal
    basis: Basis
    function: Function | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Functions that the bill tells apart from others together."""

    label: str
    kind: UsageKind
    amount: Decimal
    functions: int


@dataclass(slots=True)
class Split:
    parts: list[Part] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def total(self, *, basis: Basis | None = None, kind: UsageKind | None = None) -> Decimal:
        return exact_sum(
            part.amount for part in self.parts
            if (basis is None or part.basis == basis) and (kind is None or part.kind == kind)
        )  # fmt: skip


def estimated_bytes(use: Use, assumed: Assumptions) -> int:
    """Bytes over the network: measured (else assumed) bytes of a call x calls, assumed bytes of a cold start x cold starts."""
    per_call = use.payload_bytes if use.payload_bytes is not None else assumed.bytes_per_call
    return use.calls * per_call + use.cold_starts * assumed.bytes_per_cold_start


def shares_of(amount: Decimal, weights: Sequence[int]) -> list[Decimal]:
    """The amount divided by weights; the parts add up to it to the last digit. Weights must not all be 0."""
    whole = sum(weights)
    with localcontext(EXACT):
        finest = min(_FINEST, int(amount.as_tuple().exponent))
        units = int(amount.scaleb(-finest))
        parts, passed, given = [], 0, 0
        for weight in weights:
            passed += weight
            upto = units * passed // whole
            parts.append(Decimal(upto - given).scaleb(finest))
            given = upto
        return parts


def split(lines: Iterable[Line], resources: Sequence[ResourceSum], uses: Sequence[Use], assumed: Assumptions) -> Split:
    """Split the lines of one month and currency that are part of EC2-Other."""
    answer = Split()
    left: defaultdict[Place, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for line in lines:
            left[line.kind, line.region, line.account, line.capability] += line.cost
        own = _resources(answer, left, resources, uses, assumed)
        for (kind, region, account, capability), amount in sorted(left.items()):
            here = [use for use in uses if _is_at(use.function, region, account)]
            if kind not in NETWORK or not amount:
                _keep(answer, kind, amount, "not_network")
            elif capability and (mine := [use for use in here if bears(use.function, capability)]):
                _give(answer, kind, amount, mine, assumed, f"capability {capability}")
            else:
                common = [use for use in here if (use.function.pk, kind) not in own]
                mine_amount = share(amount, assumed.functions_share) if common else Decimal(0)
                _give(answer, kind, mine_amount, common, assumed, "")
                _keep(answer, kind, amount - mine_amount, "others" if common else "no_function")
    return answer


def _resources(
    answer: Split, left: defaultdict[Place, Decimal], resources: Iterable[ResourceSum], uses: Sequence[Use],
    assumed: Assumptions,
) -> set[tuple[int, UsageKind]]:  # fmt: skip
    """Hand out what is measured by resource, and take it from what is left; returns who has their own."""
    own: set[tuple[int, UsageKind]] = set()
    for found in resources:
        if found.kind not in NETWORK:
            continue
        mine = [
            use for use in uses if serves(found.use, use.function) and _is_at(use.function, found.region, found.account)
        ]
        if not mine:
            continue
        left[found.kind, found.region, found.account, found.capability] -= found.cost
        _give(answer, found.kind, found.cost, mine, assumed, found.use.resource)
        own |= {(use.function.pk, found.kind) for use in mine}
    return own


def _give(
    answer: Split, kind: UsageKind, amount: Decimal, uses: Sequence[Use], assumed: Assumptions, group: str
) -> None:
    """To these functions by their bytes. `group`: what the bill says of them, "" when it says nothing."""
    if not amount:
        return
    weights = [estimated_bytes(use, assumed) for use in uses]
    alone = bool(group) and len(uses) == 1
    if group:
        answer.groups.append(Group(group, kind, amount, len(uses)))
    if alone:
        answer.parts.append(Part(kind, amount, Basis.MEASURED, uses[0].function, group))
    elif not any(weights):
        _keep(answer, kind, amount, "no_calls")
    else:
        answer.parts += [
            Part(kind, part, Basis.ALLOCATED, use.function, group)
            for use, part in zip(uses, shares_of(amount, weights), strict=True) if part
        ]  # fmt: skip


def _keep(answer: Split, kind: UsageKind, amount: Decimal, why: str) -> None:
    if amount:
        answer.parts.append(Part(kind, amount, Basis.NOT_ATTRIBUTED, None, why))


def _is_at(function: Function, region: str, account: str) -> bool:
    """A bill that does not name the region or account means any."""
    return (not region or function.region == region) and (not account or function.account == account)


def bears(function: Function, capability: str) -> bool:
    return capability in (function.capability, (function.tags or {}).get("capability"))


_SERVES: dict[str, Callable[[Function], Collection[str]]] = {
    GroupBy.FUNCTION: lambda function: (function.name,),
    GroupBy.SECURITY_GROUP: lambda function: (function.vpc or {}).get("security_groups") or (),
    GroupBy.SUBNET: lambda function: (function.vpc or {}).get("subnets") or (),
    GroupBy.CAPABILITY: lambda function: (function.capability, (function.tags or {}).get("capability", "")),
    GroupBy.OWNER: lambda function: (function.owner,),
}


def serves(use: ResourceUse, function: Function) -> bool:
    return use.value in _SERVES[use.group_by](function)
