"""Which documents a delivery has and lacks, as far as its status alone tells. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shipments.choices import DocumentType

UNDER_WAY = frozenset(
    {"picked_up", "in_transit", "out_for_delivery", "ready_for_pickup", "delivery_delayed", "on_hold"}
)
BROUGHT_BY = {DocumentType.DELIVERY_NOTE: "render_pdf", DocumentType.PROOF_OF_DELIVERY: "fetch_documents"}
"""The capability that makes or fetches a type."""


@dataclass(frozen=True, slots=True)
class Lack:
    type: DocumentType
    capability: str


@dataclass(frozen=True, slots=True)
class Missing:
    """`present`: the types of stored documents; quarantined ones do not count."""

    present: list[DocumentType]
    lacks: list[Lack]

    @property
    def brought_by(self) -> list[str]:
        """Capabilities that bring what lacks, the most wanted first."""
        return [lack.capability for lack in self.lacks]


def missing_of(status: str, present: AbstractSet[DocumentType]) -> Missing:
    """A delivery under way should have its delivery note; a delivered one also the proof of it."""
    wanted = []
    if status in UNDER_WAY or status == "delivered":
        wanted.append(DocumentType.DELIVERY_NOTE)
    if status == "delivered":
        wanted.insert(0, DocumentType.PROOF_OF_DELIVERY)
    return Missing(
        present=[kind for kind in DocumentType if kind in present],
        lacks=[Lack(kind, BROUGHT_BY[kind]) for kind in wanted if kind not in present],
    )
