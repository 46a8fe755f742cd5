"""The API's list is written without the serializer, and says exactly what the serializer would."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.renderers import JSONRenderer

from shipments.api.serializers import ShipmentSerializer
from shipments.models import Shipment
from tests.shipments.finding import carrier, deliveries

FIELDS = ShipmentSerializer.Meta.fields
ODD: dict[str, Any] = {
    "reference": "</script> \u2028 “quoted” \\ é", "customer": "ЖЗИ 東京 \U0001f4e6", "notes": "line\nbreak\ttab",
    "sender": {"name": "Ñandú", "nested": {"list": [1, 2.5, None, True, "ü"]}}, "recipient": {}, "reason": "",
    "parcels": [{"number": "1", "weight_kg": "1.250", "n": 12345678901234567890}],
}  # fmt: skip


def _by_serializer(rows: list[Shipment]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(JSONRenderer().render(ShipmentSerializer(rows, many=True).data))
    return found


@pytest.fixture
def rows(db: None) -> list[Shipment]:
    moment = datetime(2026, 10, 25, 0, 30, 15, 123456, tzinfo=UTC)
    deliveries(2, **ODD, sample=True)
    deliveries(
        2, code="later", first=10, status_at=moment, last_event=moment, promised=moment, delivered=moment, unmapped=True
    )
    Shipment.objects.filter(carrier=carrier("later")).update(updated=moment, created=moment)
    return list(Shipment.objects.select_related("carrier").order_by("-created", "-id"))


def test_every_field_reads_as_the_serializer_writes_it(api_client: Any, viewer: User, rows: list[Shipment]) -> None:
    client = api_client(viewer)
    expected = _by_serializer(rows)
    answer = client.get("/api/v1/shipments/").json()["results"]
    assert [list(row) for row in answer] == [list(row) for row in expected], "the same names in the same order"
    assert answer == expected
    alone = client.get(f"/api/v1/shipments/{rows[0].pk}/").json()
    assert alone.pop("links") and alone == expected[0]


def test_each_sparse_field_reads_the_same_as_in_the_whole_row(
    api_client: Any, viewer: User, rows: list[Shipment]
) -> None:
    client, expected = api_client(viewer), _by_serializer(rows)
    for names in [*([name] for name in FIELDS), ["parcels", "carrier", "id"]]:
        answer = client.get(f"/api/v1/shipments/?fields={','.join(names)}").json()["results"]
        assert answer == [{name: row[name] for name in FIELDS if name in names} for row in expected], names


def test_pages_lead_on_also_when_the_ordered_column_is_not_asked_for(
    api_client: Any, viewer: User, rows: list[Shipment]
) -> None:
    client = api_client(viewer)
    for sort in ("-created", "updated", "-updated"):
        found, address = [], f"/api/v1/shipments/?fields=reference,id&page_size=1&sort={sort}"
        while address:
            page = client.get(address).json()
            found += [row["id"] for row in page["results"]]
            address = page["next"]
        assert sorted(found) == sorted(row.pk for row in rows) and len(found) == len(rows), sort


def test_indented_answers_and_errors_keep_their_shape(api_client: Any, viewer: User, rows: list[Shipment]) -> None:
    client = api_client(viewer)
    plain, indented = (
        client.get("/api/v1/shipments/?fields=id,created", HTTP_ACCEPT=kind)
        for kind in ("application/json", "application/json; indent=2")
    )
    assert b"\n" in indented.content and b"\n" not in plain.content
    assert indented.json() == plain.json()
    assert client.get("/api/v1/shipments/?status=nonsense").json()["error"]["fields"]["status"]
