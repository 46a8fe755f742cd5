"""One delivery over REST: made, changed, seen whole, with its events, documents and messages."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import KEY, idempotent
from core.api.sparse import FIELDS, chosen_fields, thin
from core.api.strict import read
from shipments.api import examples, serializers
from shipments.api.write_serializers import (
    DocumentUploadSerializer,
    EventCreateSerializer,
    ShipmentChangeSerializer,
    ShipmentCreateSerializer,
)
from shipments.deliveries.single import change_shipment, create_shipment
from shipments.documents.uploading import take_upload
from shipments.events.single import add_event
from shipments.models import Shipment

MOST_OF_A_KIND = 500
PARTS = ("events", "documents", "messages")
INCLUDE = OpenApiParameter(
    "include", str, description="Of events, documents, messages: those to answer with, separated by commas."
)
_FACTS = list(serializers.ShipmentSerializer.Meta.fields)


class ShipmentWrites:
    """Beside the list; before the view set's class."""

    parser_classes: Any = [JSONParser]

    @extend_schema(
        request=ShipmentCreateSerializer, responses={201: serializers.ShipmentDetailSerializer, 409: examples.ERROR},
        parameters=[KEY], filters=False, examples=[examples.NEW_SHIPMENT, examples.EXISTS],
    )  # fmt: skip
    @idempotent
    def create(self, request: Request) -> Response:
        """A new delivery, with the fields of an import row. 409 `exists` when the carrier has one of that number."""
        made = create_shipment(_stated(request), actor=request.user, source="api")
        return Response(_whole(request, made), status=201)

    @extend_schema(responses=serializers.ShipmentDetailSerializer, parameters=[INCLUDE, FIELDS], filters=False)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One delivery, with links to its parts, or (`include`) with the latest 500 of each."""
        return Response(_whole(request, self._shipment()))

    @extend_schema(
        request=ShipmentChangeSerializer, responses={200: serializers.ShipmentDetailSerializer, 409: examples.ERROR},
        filters=False, examples=[examples.CHANGE, examples.SET_STATUS, examples.NOT_POSSIBLE],
    )  # fmt: skip
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is stated. A status becomes an event; 409 `status_not_possible` when it does not follow from that."""
        changed = change_shipment(self._shipment().pk, _stated(request), actor=request.user, source="api")
        return Response(_whole(request, changed))

    @extend_schema(
        responses=serializers.EventSerializer(many=True), filters=False, operation_id="shipments_events_list"
    )
    @action(detail=True, pagination_class=None)
    def events(self, request: Request, pk: str) -> Response:
        """The latest 500 tracking events."""
        rows = self._shipment().events.all()[:MOST_OF_A_KIND]
        return Response(serializers.EventSerializer(rows, many=True).data)

    @extend_schema(
        request=EventCreateSerializer, responses={201: serializers.EventSerializer, 200: serializers.EventSerializer},
        filters=False, operation_id="shipments_events_create", examples=[examples.EVENT],
    )  # fmt: skip
    @events.mapping.post
    def add_event(self, request: Request, pk: str) -> Response:
        """A tracking event. 200: it was known (the same moment, code and text), nothing changed."""
        event, new = add_event(self._shipment(), _stated(request), actor=request.user, source="api")
        return Response(serializers.EventSerializer(event).data, status=201 if new else 200)

    @extend_schema(
        responses=serializers.DocumentSerializer(many=True), filters=False, operation_id="shipments_documents_list"
    )
    @action(detail=True, pagination_class=None, parser_classes=[MultiPartParser])
    def documents(self, request: Request, pk: str) -> Response:
        """The latest 500 documents."""
        rows = self._shipment().documents.all()[:MOST_OF_A_KIND]
        return Response(serializers.DocumentSerializer(rows, many=True).data)

    @extend_schema(
        request={"multipart/form-data": DocumentUploadSerializer}, filters=False,
        operation_id="shipments_documents_create",
        responses={201: serializers.DocumentSerializer, 200: serializers.DocumentSerializer},
    )  # fmt: skip
    @documents.mapping.post
    def upload_document(self, request: Request, pk: str) -> Response:
        """Keep a file for this delivery. 200: it has these very bytes under this type already.

        A file that is not what its name says is kept in quarantine: `state` and `problem` say so.
        """
        shipment, asked = self._shipment(), read(DocumentUploadSerializer, request)
        document, new = take_upload(
            asked["file"], shipment=shipment, type=asked["type"], name=asked.get("name", ""), actor=request.user,
            source="api",
        )  # fmt: skip
        document.refresh_from_db()
        return Response(serializers.DocumentSerializer(document).data, status=201 if new else 200)

    @extend_schema(
        responses=serializers.MessageSerializer(many=True), filters=False, operation_id="shipments_messages_list"
    )
    @action(detail=True, pagination_class=None)
    def messages(self, request: Request, pk: str) -> Response:
        """The latest 500 messages."""
        rows = self._shipment().messages.select_related("carrier")[:MOST_OF_A_KIND]
        return Response(serializers.MessageSerializer(rows, many=True).data)

    def _shipment(self) -> Shipment:
        view: Any = self
        view.filterset_class = None  # a filter of the list must not hide it
        shipment: Shipment = view.get_object()
        return shipment


def _stated(request: Request) -> dict[str, Any]:
    """The body, which must be an object."""
    if not isinstance(request.data, dict):
        raise DjangoValidationError("Send a JSON object.", code="not_object")
    return dict(request.data)


def _whole(request: Request, shipment: Shipment) -> dict[str, Any]:
    """What `include` and `fields` ask for, and no query for what they do not."""
    asked = {name.strip() for name in request.query_params.get("include", "").split(",") if name.strip()}
    if unknown := asked - set(PARTS):
        words = f"No part of a delivery: {', '.join(sorted(unknown))[:100]}. Possible: {', '.join(PARTS)}."
        raise ValidationError({"include": [ErrorDetail(words, "unknown_part")]})
    fields = chosen_fields(request, [*_FACTS, "links", *PARTS]) or [*_FACTS, "links"]
    facts = [name for name in fields if name not in (*PARTS, "links")]
    said: dict[str, Any] = dict(thin(serializers.ShipmentSerializer(shipment), facts).data) if facts else {}
    if "links" in fields:
        said["links"] = _links(request, shipment)
    wanted = [name for name in PARTS if name in asked or name in fields]
    kinds = {"events": serializers.EventSerializer, "documents": serializers.DocumentSerializer}
    for name in wanted:
        rows = getattr(shipment, name).all()
        rows = rows.select_related("carrier") if name == "messages" else rows
        kind: Any = kinds.get(name, serializers.MessageSerializer)
        said[name] = kind(rows[:MOST_OF_A_KIND], many=True).data
    return said


def _links(request: Request, shipment: Shipment) -> dict[str, str]:
    named = {name: reverse(f"api-shipment-{name}", args=[shipment.pk]) for name in PARTS}
    named["page"] = reverse("shipment-detail", args=[shipment.pk])
    return {name: request.build_absolute_uri(address) for name, address in named.items()}
