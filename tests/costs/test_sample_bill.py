"""The sample bill tells the EC2-Other story through the real importer, once, and is always labelled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from costs.ec2_other.choices import Basis, UsageKind
from costs.ec2_other.page import Explained, explain
from costs.ec2_other.reading import by_kind
from costs.ec2_other.seed import seed_mapping
from costs.models import CostImport
from costs.samples.bill import bill_rows
from costs.samples.step import take_sample_bill
from services_registry.choices import Origin
from services_registry.models import Function, FunctionDay
from services_registry.samples.fleet import ALONE, ALONE_GROUP, sample_fleet

Make = Callable[..., Function]


@pytest.fixture
def fleet(make_function: Make, prices: None) -> list[Function]:
    """Four functions of the sample fleet: two of labels, the one with an interface of its own, one outside the VPC."""
    seed_mapping()
    shapes = {shape.name: shape for shape in sample_fleet(4)}
    names = ("labels-render-pdf", "labels-render-zpl", ALONE, "tracking-predict-eta")
    made = []
    for name in names:
        groups = shapes[name].vpc.get("SecurityGroupIds", [])
        made.append(make_function(name, sample=True, in_vpc=bool(groups), vpc={"security_groups": groups}))
    today = timezone.now().date()
    for number, function in enumerate(made):
        FunctionDay.objects.bulk_create(
            FunctionDay(function=function, day=today - timedelta(days=back), invocations=1000 * (number + 1),
                        cold_starts=30, billed_mb_ms=10**9, origin=Origin.SAMPLE)
            for back in range(1, 91)
        )  # fmt: skip
    assert shapes[ALONE].vpc["SecurityGroupIds"] == [ALONE_GROUP]
    return made


def test_the_same_fleet_and_day_give_the_same_bill(fleet: list[Function]) -> None:
    until = timezone.now().date()
    first, again = ([row.written() for row in bill_rows(fleet, until)] for _ in range(2))
    assert first == again and len(first) > 3000


def test_it_grows_from_hundreds_to_thousands_and_says_why(
    fleet: list[Function], client_as: Callable[[User], Client], viewer: User
) -> None:
    said: list[str] = []
    take_sample_bill(said.append)
    take_sample_bill(said.append)
    assert "taken in" in said[0] and "no sample bill is needed" in said[1]
    made = CostImport.objects.get()
    assert made.door == "sample" and made.format.startswith("FOCUS")
    found: Any = explain({})
    assert isinstance(found, Explained) and found.sample
    months = sorted({line.at for line in found.trend})
    of_month = [sum(line.cost for line in found.trend if line.inside and line.at == month) for month in months]
    assert Decimal(200) < of_month[0] < Decimal(600) and of_month[-1] > Decimal(1500), of_month
    kinds = by_kind(line for line in found.trend if line.inside)
    assert max(kinds, key=lambda kind: kinds[kind]) == UsageKind.NAT_BYTES
    assert UsageKind.UNMAPPED not in kinds
    rows = {row.function.name: row for row in found.functions()}
    assert rows[ALONE].measured > 0 and rows["labels-render-pdf"].allocated > 0, "its interface is its own"
    assert "tracking-predict-eta" not in rows
    assert found.part(Basis.NOT_ATTRIBUTED) < found.part(Basis.ALLOCATED)
    (endpoint,) = [way for way in found.ways if way.name == "gateway_endpoint"]
    assert endpoint.saving and endpoint.saving > 200
    text = client_as(viewer).get("/costs/ec2-other/").content.decode()
    assert "Sample data is part of these figures" in text and "(eu-west-1)" not in text, "one region needs no name"
    for where in ("/costs/ec2-other/rows/", "/costs/imports/"):
        assert "sample-mark" in client_as(viewer).get(where).content.decode(), where
