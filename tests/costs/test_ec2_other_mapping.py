"""Every usage type has a kind by rows that a person can edit, or is said not to be mapped."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date

import pytest

from costs.ec2_other.choices import ELSEWHERE, UsageKind
from costs.ec2_other.mapping import EC2, Mapping, code_of, without_region
from costs.ec2_other.seed import seed_mapping
from costs.models import UsageMapping
from tests.shared_data import shared_path

pytestmark = pytest.mark.django_db
DAY = date(2026, 10, 31)
# What usage_costs_monthly.csv, which names products in its own way, counts among EC2-Other or beside it. (Its "EC2 Instance"
# states types of instances instead of usage types.)
PRODUCTS = ("Data Transfer", "Elastic Block Storage", "Elastic Compute Cloud", "Elastic IP")


@pytest.fixture
def mapping() -> Mapping:
    seed_mapping()
    return Mapping()


@pytest.mark.parametrize(
    ("usage_type", "kind"),
    [
        ("NatGateway-Hours", "nat_hours"), ("EU-NatGateway-Bytes", "nat_bytes"), ("EUC1-RegionalNatGateway-Hours", "nat_hours"),
        ("EUW2-RegionalNatGateway-Bytes", "nat_bytes"), ("USW2-DataTransfer-Regional-Bytes", "cross_az"),
        ("EU-DataTransfer-Out-Bytes", "egress"), ("DataTransfer-In-Bytes", "ingress"),
        ("APN2-AWS-Out-Bytes", "inter_region"), ("USE1-EUC1-AWS-Out-Bytes", "inter_region"), ("EU-USE1-AWS-In-Bytes", "ingress"),
        ("CAN1-EBS:VolumeUsage.gp3", "volumes"), ("EBS:VolumeP-IOPS.piops", "volumes"), ("EU-EBS:SnapshotUsage", "snapshots"),
        ("EBSOptimized:m3.xlarge", "ebs_optimized"), ("EU-ElasticIP:IdleAddress", "idle_ipv4"),
        ("USW2-CPUCredits:t3", "cpu_credits"),
        ("EU-BoxUsage:m5.large", "instances"), ("SpotUsage:c5.xlarge", "instances"), ("EU-LoadBalancerUsage", "load_balancers"),
        ("EU-SomethingNew-Units", "unmapped"), ("", "unmapped"),
    ],
)  # fmt: skip
def test_a_usage_type_of_ec2_is_of_one_kind_in_every_region(mapping: Mapping, usage_type: str, kind: str) -> None:
    assert mapping.kind(EC2, usage_type, DAY) == kind


def test_what_only_sounds_like_it_is_elsewhere(mapping: Mapping) -> None:
    found = {
        mapping.kind("AmazonVPC", "EU-PublicIPv4:InUseAddress", DAY), mapping.kind("AmazonVPC", "EU-VpcEndpoint-Hours", DAY),
        mapping.kind("AmazonCloudWatch", "EU-DataProcessing-Bytes", DAY), mapping.kind("AWSLambda", "EU-Lambda-GB-Second", DAY),
        mapping.kind("AWSLambda", "EU-DataTransfer-Out-Bytes", DAY), mapping.kind("AWSELB", "LCUUsage", DAY),
        mapping.kind(EC2, "EU-NatGateway-Bytes", DAY, "Tax"), mapping.kind("AmazonEC2Compute", "anything", DAY),
    }  # fmt: skip
    assert found == set(ELSEWHERE)
    assert mapping.kind("AmazonCloudWatch", "EU-DataProcessing-Bytes", DAY) == UsageKind.LOGS, "not traffic"


def test_a_row_entered_by_hand_counts_from_its_day(mapping: Mapping) -> None:
    more = {"source": "support case", "checked_on": DAY, "rank": 5}
    UsageMapping.objects.create(pattern="SomethingNew-*", kind="other", valid_from=date(2026, 10, 1), **more)
    UsageMapping.objects.create(pattern="SomethingNew-*", kind="egress", valid_from=date(2026, 11, 1), **more)
    now = Mapping()
    kinds = [now.kind(EC2, "EU-SomethingNew-Units", day) for day in (date(2026, 9, 30), DAY, date(2026, 11, 30))]
    assert kinds == ["unmapped", "other", "egress"]
    assert seed_mapping() == 0, "rows that are there stay as they are"


def test_region_prefixes_come_off_and_nothing_else() -> None:
    for prefix in ("", "EU-", "USW2-", "APN2-", "CAN1-", "EUC1-", "UGW1-", "MES1-", "USE2-ATL1-"):
        assert without_region(f"{prefix}NatGateway-Bytes") == "NatGateway-Bytes"
        assert without_region(f"{prefix}EBS:VolumeUsage") == "EBS:VolumeUsage"


def test_services_are_known_under_the_names_of_every_bill() -> None:
    names = ("AmazonEC2", "Amazon Elastic Compute Cloud", "EC2 - Other")
    assert {code_of(name) for name in names} == {EC2}
    assert code_of("Amazon Elastic Compute Cloud", "AmazonEC2") == EC2
    assert code_of("Amazon Elastic Compute Cloud - Compute") == "AmazonEC2Compute"
    assert code_of("Amazon Simple Storage Service", "AmazonS3") == ""


def test_every_usage_type_of_real_bills_has_a_kind(mapping: Mapping) -> None:
    with shared_path("aws-costs/usage_costs_monthly.csv").open(newline="") as file:
        types = {row["usageType"] for row in csv.DictReader(file) if row["product"] in PRODUCTS}
    with shared_path("aws-costs/cur_legacy_koku.csv").open(newline="") as file:
        transfers = {row["lineItem/UsageType"] for row in csv.DictReader(file)}
    kinds = {usage_type: mapping.kind(EC2, usage_type, DAY) for usage_type in types | transfers}
    assert len(types) > 30
    assert [usage_type for usage_type, kind in kinds.items() if kind == UsageKind.UNMAPPED] == []
    assert {kinds[usage_type] for usage_type in transfers} == {UsageKind.INTER_REGION, UsageKind.INGRESS}
    assert len(Counter(kinds.values())) >= 10, "not all thrown into one kind"
