"""Documents of one delivery and its carrier, kept through the same door as everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shipments.documents.store import store_document
from shipments.models import Document, Shipment
from tests.documents import made
from tests.shipments.finding import deliveries


@pytest.fixture
def delivery(db: None) -> Shipment:
    return deliveries(1, first=7)[0]


@pytest.fixture
def keep(db: None) -> Callable[..., Document]:
    """`keep(made.pdf("text"), "a.pdf", shipment=…)`"""

    def kept(content: bytes = b"", name: str = "a.pdf", **more: Any) -> Document:
        values: dict[str, Any] = {"shipment": None, "type": "other", "source": "uploaded"} | more
        return store_document(content=content or made.pdf(name), name=name, **values)[0]

    return kept
