"""Everything the page of one delivery shows beside its timeline, in a few bounded queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F, Max, Min, Q
from django.utils import timezone

from services_registry import capabilities
from services_registry.models import CapabilityBinding
from shipments.choices import DocumentState, DocumentType
from shipments.deliveries.course import Course, Dates, course_of
from shipments.deliveries.facts import parcels_of, party_of
from shipments.deliveries.missing import Missing, missing_of
from shipments.models import CarrierMessage, Document, Shipment
from shipments.status.derive import AHEAD

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SHOWN_DOCUMENTS = 20
MOST_MESSAGES = 100
"""Of one delivery that are classified by one click."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A function that can be run: on the delivery itself (`keys` is its id), or on the messages about it."""

    slug: str
    label: _StrOrPromise
    function: str
    keys: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """`more_documents`: there are others than these."""

    documents: list[Document]
    more_documents: bool
    missing: Missing


def facts_of(shipment: Shipment) -> dict[str, Any]:
    return {
        "sender": party_of(shipment.sender),
        "recipient": party_of(shipment.recipient),
        "parcels": parcels_of(shipment.parcels),
        "course": course_of_shipment(shipment),
    }


def course_of_shipment(shipment: Shipment) -> Course:
    """One query: when it was picked up first and went out for delivery last."""
    happened = shipment.events.exclude(at__gt=F("received") + AHEAD).aggregate(
        picked_up=Min("at", filter=Q(status="picked_up")), out=Max("at", filter=Q(status="out_for_delivery"))
    )
    dates = Dates(
        shipment.created, happened["picked_up"], happened["out"], shipment.promised, shipment.delivered
    )  # fmt: skip
    return course_of(shipment.status, dates, now=timezone.now(), zone=timezone.get_current_timezone())


def documents_of(shipment: Shipment) -> Shown:
    """The newest documents that count, and which are missing by all there are (two queries)."""
    rows = list(shipment.documents.current()[: SHOWN_DOCUMENTS + 1])
    stored = shipment.documents.filter(state=DocumentState.STORED).order_by().values_list("type", flat=True).distinct()
    missing = missing_of(shipment.status, {DocumentType(kind) for kind in stored if kind in DocumentType.values})
    return Shown(rows[:SHOWN_DOCUMENTS], len(rows) > SHOWN_DOCUMENTS, missing)


def deeds_on(shipment: Shipment, missing: Missing) -> list[Deed]:
    """Every function for deliveries, what is missing first, then those for its messages (two queries)."""
    bound = dict(CapabilityBinding.objects.values_list("capability", "function_name"))

    def deed(capability: capabilities.Capability, keys: list[str]) -> Deed:
        label = capability.label_of_one if len(keys) == 1 and capability.label_of_one else capability.label
        return Deed(capability.slug, label, bound.get(capability.slug, capability.default_function), keys)

    own = [deed(each, [str(shipment.pk)]) for each in capabilities.working_on(Shipment._meta.label_lower)]
    wanted = missing.brought_by
    own.sort(key=lambda each: wanted.index(each.slug) if each.slug in wanted else len(wanted))
    messages = [str(pk) for pk in shipment.messages.order_by("-pk").values_list("pk", flat=True)[:MOST_MESSAGES]]
    if not messages:
        return own
    return own + [deed(each, messages) for each in capabilities.working_on(CarrierMessage._meta.label_lower)]
