"""Parts of EC2-Other always add up to what was billed, to the last digit, whatever the bill and the assumptions."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from costs.ec2_other.assumptions import Assumptions
from costs.ec2_other.choices import NETWORK, Basis, UsageKind
from costs.ec2_other.network import Use
from costs.ec2_other.page import explain
from costs.ec2_other.reading import Line, ResourceSum
from costs.ec2_other.seed import seed_mapping
from costs.ec2_other.split import shares_of, split
from costs.models import ResourceUse
from services_registry.models import Function, FunctionDay
from tests.costs.focus_bill import OCTOBER, line, take

Make = Callable[..., Function]


def test_shares_by_weight_add_up_for_any_amount() -> None:
    dice = random.Random(5)
    for _ in range(500):
        amount = Decimal(dice.randrange(-(10**20), 10**20)).scaleb(-dice.randrange(0, 45))
        weights = [dice.choice((0, 1, 7, 10**12, dice.randrange(1, 10**9))) for _ in range(dice.randrange(1, 40))] + [1]
        parts = shares_of(amount, weights)
        assert sum(map(Fraction, parts)) == Fraction(amount)
        assert all(not part for part, weight in zip(parts, weights, strict=True) if not weight)


def test_parts_add_up_to_the_whole_for_any_bill() -> None:
    dice = random.Random(20_261_124)
    for _ in range(60):
        functions = [
            Function(pk=n, name=f"f{n}", region=dice.choice(("eu-west-1", "us-east-1")), account=dice.choice("12"),
                     capability=dice.choice(("", "labels")), vpc={"security_groups": [f"sg-{n % 3}"]})
            for n in range(dice.randrange(0, 9))
        ]  # fmt: skip
        uses = [
            Use(f, dice.choice((0, dice.randrange(10**6))), dice.randrange(999), dice.choice((None, 0, 40_000)))
            for f in functions
        ]
        lines = [_any_line(dice) for _ in range(dice.randrange(1, 25))]
        resources = [_some_resource(dice, line) for line in lines if dice.random() < 0.2]
        assumed = Assumptions(
            functions_share=dice.randrange(101),
            kb_per_call=dice.choice((0, 100)),
            mb_per_cold_start=dice.choice((0, 60)),
        )
        found = split(lines, resources, uses, assumed)
        assert Fraction(found.total()) == sum(Fraction(line.cost) for line in lines)
        for kind in UsageKind:
            assert Fraction(found.total(kind=kind)) == sum(Fraction(line.cost) for line in lines if line.kind == kind)
        assert sum(Fraction(found.total(basis=basis)) for basis in Basis) == Fraction(found.total())
        assert all(part.function is None for part in found.parts if part.kind not in NETWORK)


def _any_use(dice: random.Random, function: Function) -> Use:
    return Use(function, dice.choice((0, dice.randrange(10**6))), dice.randrange(999), dice.choice((None, 0, 40_000)))


def _any_line(dice: random.Random) -> Line:
    kind = dice.choice(list(UsageKind)[:13])
    cost = Decimal(dice.randrange(-(10**15), 10**18)).scaleb(-dice.randrange(8, 24))
    place = dice.choice(("eu-west-1", "us-east-1", "")), dice.choice(("1", "2", "3", ""))
    return Line(
        OCTOBER, kind, "x", "AmazonEC2", *place, dice.choice(("", "", "labels")), "USD", cost, None, "GB", 1, False
    )


def _some_resource(dice: random.Random, whole: Line) -> ResourceSum:
    use = ResourceUse(resource="eni-1", group_by="security_group", value=f"sg-{dice.randrange(4)}")
    part = whole.cost * Decimal(dice.randrange(1, 100)).scaleb(-2)
    return ResourceSum(use, whole.kind, whole.region, whole.account, whole.capability, part)


@pytest.fixture
def three(make_function: Make, prices: None, tmp_path: Path) -> dict[str, Function]:
    """Two functions of one security group and one of its own, all in the VPC; a fourth outside."""
    seed_mapping()
    made = {
        name: make_function(name, in_vpc=name != "outside", vpc={"security_groups": [group], "subnets": ["s"]})
        for name, group in (("one", "sg-1"), ("two", "sg-1"), ("alone", "sg-2"), ("outside", ""))
    }
    for name, calls in (("one", 3000), ("two", 1000), ("alone", 10), ("outside", 10**6)):
        FunctionDay.objects.create(function=made[name], day=date(2026, 10, 5), invocations=calls, billed_mb_ms=1)
    take(tmp_path, [
        line("EU-NatGateway-Bytes", "10", quantity=Decimal(200), resource="arn:aws:ec2:::network-interface/eni-2"),
        line("EU-NatGateway-Bytes", "40", quantity=Decimal(800), resource="nat-1"),
        line("EU-NatGateway-Hours", "30", quantity=Decimal(744), unit="Hours", resource="nat-1"),
        line("EU-EBS:VolumeUsage.gp3", "7"),
        line("EU-BoxUsage:t3.large", "500"),
    ])  # fmt: skip
    return made


def test_an_interface_of_one_function_is_measured_and_the_rest_allocated_by_bytes(three: dict[str, Function]) -> None:
    ResourceUse.objects.create(
        resource="eni-2", group_by="security_group", value="sg-2", valid_from=OCTOBER, source="flow logs"
    )
    found = explain({"month": "2026-10", "mb_per_cold_start": "0"})
    assert found is not None and found.billed == 87
    rows = {row.function.name: row for row in found.functions()}
    assert set(rows) == {"one", "two", "alone"}, "a function outside the VPC has no part in NAT"
    assert (rows["alone"].measured, rows["alone"].kinds[UsageKind.NAT_BYTES]) == (Decimal(10), Decimal(10))
    assert (rows["one"].kinds[UsageKind.NAT_BYTES], rows["two"].kinds[UsageKind.NAT_BYTES]) == (
        Decimal(30),
        Decimal(10),
    )
    assert (
        found.part(Basis.MEASURED) == 10 and found.part(Basis.ALLOCATED) == 70 and found.part(Basis.NOT_ATTRIBUTED) == 7
    )
    half: Any = explain({"month": "2026-10", "functions_share": "50", "mb_per_cold_start": "0"})
    assert (
        half.part(Basis.MEASURED) == 10 and half.part(Basis.ALLOCATED) == 35 and half.part(Basis.NOT_ATTRIBUTED) == 42
    )


def test_a_group_is_told_apart_but_shared_within(three: dict[str, Function]) -> None:
    ResourceUse.objects.create(
        resource="nat-1", group_by="subnet", value="s", valid_from=OCTOBER, source="its route table"
    )
    found = explain({"month": "2026-10"})
    assert found is not None
    assert {(group.label, group.functions) for group in found.split.groups} == {("nat-1", 3)}
    assert found.part(Basis.MEASURED) == 0, "no single function is told apart"
    assert found.part(Basis.NOT_ATTRIBUTED) == 17, (
        "eni-2 is nobody's, the three have a gateway of their own; disks are no traffic"
    )
