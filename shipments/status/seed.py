"""The first content of reasons, mappings and ageing rules: written once, people change it afterwards.

Reasons carry the codes that the classifier of messages uses, so that a message and an event about the same thing agree.
Mappings come from the same table of public carrier codes; codes that only hint at a meaning are left out and show up in
the backlog with a suggestion instead.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from django.db import transaction

from shipments.choices import Status
from shipments.functions.classify_messages.lexicon import DATA
from shipments.models import AgeingRule, Carrier, CodeMapping, Reason

VALID_FROM = date(2000, 1, 1)
"""Public codes have long meant what they mean, and events may be old."""
OWN_WORDS = "the code is the name of the status"
_EVERY_CARRIER = "*"
# code, usual status, family, label. Statuses and families follow the vocabulary of open shipping software.
_REASONS = """
carrier_damaged_parcel           delivery_failed  carrier   parcel damaged
carrier_parcel_lost              delivery_failed  carrier   parcel lost
carrier_sorting_error            delivery_delayed carrier   sorted wrongly
carrier_vehicle_issue            delivery_delayed carrier   trouble with the vehicle
carrier_not_enough_time          delivery_failed  carrier   not enough time on the tour
carrier_delay                    delivery_delayed carrier   delayed by the carrier
delivered_in_error               delivery_failed  carrier   reported as delivered in error
consignee_refused                delivery_failed  consignee refused by the recipient
consignee_not_home               delivery_failed  consignee nobody at home
consignee_business_closed        delivery_failed  consignee business closed
consignee_incorrect_address      delivery_failed  consignee address incorrect
consignee_access_restricted      delivery_failed  consignee no access
consignee_not_available          delivery_failed  consignee recipient cannot be reached
consignee_verification_failed    delivery_failed  consignee wrong identity document or code
consignee_identification_failed  delivery_failed  consignee identity could not be checked
customs_delay                    on_hold          customs   in customs
customs_documentation            on_hold          customs   documents missing for customs
customs_duties_unpaid            on_hold          customs   duties to be paid
customs_inspection               on_hold          customs   inspected by customs
customs_prohibited               on_hold          customs   goods prohibited
retailer_incorrect_data          on_hold          retailer  data of the shipment incorrect
retailer_packaging_issue         on_hold          retailer  packaging not suitable
weather_delay                    delivery_delayed weather   bad weather
natural_disaster                 delivery_delayed weather   natural disaster
force_majeure                    delivery_delayed weather   force majeure
security_issue                   on_hold          security  security check
delivery_exception_cancelled     cancelled        retailer  cancelled on request
delivery_exception_undeliverable delivery_failed  unknown   cannot be delivered
delivery_exception_hold          on_hold          unknown   held, no cause stated
returned                         return_to_sender unknown   back at the sender
no_news                          unknown          unknown   no news for long
"""
_AGEING = """
pending          60
picked_up        30
in_transit       30
out_for_delivery 30
delivery_delayed 30
delivery_failed  45
ready_for_pickup 45
on_hold          60
"""


@transaction.atomic
def seed_status_data() -> tuple[int, int]:
    """Write what a new installation needs, each kind once: how many reasons and how many mappings were added.

    A table that has rows is left to the people who edit it.
    """
    reasons = [] if Reason.objects.exists() else list(_reasons())
    Reason.objects.bulk_create(reasons, ignore_conflicts=True)
    mappings = [] if CodeMapping.objects.filter(carrier=None).exists() else list(_general_mappings())
    CodeMapping.objects.bulk_create(mappings, ignore_conflicts=True)
    if not AgeingRule.objects.exists():
        AgeingRule.objects.bulk_create(list(_ageing_rules()), ignore_conflicts=True)
    return len(reasons), len(mappings)


def public_mappings(carrier: Carrier) -> list[CodeMapping]:
    """What is publicly known of this carrier's codes, not stored; empty for most carriers.

    The name may go on after that of the family: `fedex_es` is served by `fedex`.
    """
    wanted = carrier.code.lower().replace("-", "_")
    fitting = [name for name in _families() if wanted == name or wanted.startswith(f"{name}_")]
    return list(_mappings(carrier, max(fitting, key=len))) if fitting else []


def _reasons() -> Iterator[Reason]:
    for line in _REASONS.strip().splitlines():
        code, status, family, label = line.split(maxsplit=3)
        yield Reason(code=code, status=status, family=family, label=label, valid_from=VALID_FROM)


def _ageing_rules() -> Iterator[AgeingRule]:
    for line in _AGEING.strip().splitlines():
        status, days = line.split()
        yield AgeingRule(from_status=status, after_days=int(days), to_status=Status.UNKNOWN, reason="no_news")


def _general_mappings() -> Iterator[CodeMapping]:
    yield from _mappings(None, _EVERY_CARRIER)
    for status in Status:
        if status != Status.UNKNOWN:
            yield CodeMapping(code=status.value, status=status, valid_from=VALID_FROM, source=OWN_WORDS)


def _mappings(carrier: Carrier | None, family: str) -> Iterator[CodeMapping]:
    for row in _families()[family]:
        if row["strength"] == "plain":
            source = f"{row['source']}, as of {row['valid_from']}"[:200]
            yield CodeMapping(carrier=carrier, code=row["code"], status=row["status"], reason=row["reason"],
                              valid_from=VALID_FROM, source=source, changed_by="system")  # fmt: skip


@lru_cache(maxsize=1)
def _families() -> dict[str, list[dict[str, str]]]:
    """Rows of the public table by the name of a carrier; `*` holds for all."""
    families: dict[str, list[dict[str, str]]] = {}
    with (DATA / "codes.csv").open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            for name in row["carriers"].split(";"):
                families.setdefault(name, []).append(row)
    return families
