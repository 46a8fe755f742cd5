"""Examples in the API's description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from core.api.errors import ErrorAnswerSerializer

ERROR = ErrorAnswerSerializer


def request(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def refusal(name: str, code: str, message: str, field: str) -> OpenApiExample:
    error = {
        "code": code, "message": message, "fields": {field: [message]}, "request_id": "5f3e9b0c41a84c4a8f6f7f1f2f3a4b5c",
        "details": [{"field": field, "code": "invalid", "message": message}],
    }  # fmt: skip
    return OpenApiExample(name, value={"error": error}, response_only=True, status_codes=["409"])


NEW_SHIPMENT = request(
    "A new delivery",
    {
        "carrier": "acme", "tracking_number": "1Z999AA10123456784", "reference": "SO-1042", "customer": "Olmo",
        "recipient": {"name": "Ana Ruiz", "street": "Calle Mayor 1", "postcode": "28013", "city": "Madrid", "country": "ES"},
        "parcels": [{"number": "1", "weight_kg": 2.5, "description": "books"}], "promised": "2026-11-27T18:00:00Z",
    },
)  # fmt: skip
EXISTS = refusal(
    "There is one", "exists", "This carrier already has a delivery of that number (17).", "tracking_number"
)
CHANGE = request("Change facts", {"reference": "SO-1043", "recipient": {"street": "Calle Mayor 2"}, "notes": None})
SET_STATUS = request(
    "Set a status", {"status": "on_hold", "reason": "customs_delay", "status_at": "2026-11-24T09:00:00Z"}
)
NOT_POSSIBLE = refusal(
    "It does not follow", "status_not_possible",
    "What happened to this delivery says “delivered”, and an event “pending” does not change that.", "status",
)  # fmt: skip
BULK = request(
    "A row",
    {
        "carrier": "acme",
        "tracking_number": "A2",
        "status": "in_transit",
        "recipient": {"city": "Lyon", "country": "FR"},
    },
)
HOOK = request(
    "An event of a carrier",
    {
        "events": [
            {
                "tracking_number": "A1",
                "code": "DLV",
                "text": "Delivered",
                "at": "2026-11-24T10:15:00+01:00",
                "place": "Lille",
            }
        ]
    },
)
EVENT = request(
    "An event", {"at": "2026-11-24T10:15:00+01:00", "code": "DLV", "text": "Delivered to neighbour", "place": "Lille"}
)
MESSAGE = request(
    "A message", {"carrier": "acme", "tracking_number": "1Z999AA10123456784", "text": "Destinatario ausente"}
)
CORRECTION = request("A correction", {"status": "delivery_failed", "reason": "consignee_not_home"})
MAPPING = request(
    "A mapping",
    {"carrier": "acme", "code": "D7", "status": "on_hold", "reason": "customs_delay", "valid_from": "2026-11-01"},
)
