"""Deliveries over REST: lists by keyset with the filters of the pages, and the import."""

from __future__ import annotations

import io
from typing import IO, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.renderers import FastJSONRenderer
from core.errors import RefusedError
from shipments.api import rows, serializers
from shipments.api.pagination import ShipmentPages, chosen_fields
from shipments.deliveries.importer import Refused, UnreadableFileError, import_shipments
from shipments.filters import MessageFilter, ShipmentFilter
from shipments.listing.order import ORDERED_BY
from shipments.models import Carrier, CarrierMessage, Shipment

MOST_ERRORS = 1_000


class BodyParser(BaseParser):
    """The body as it is, of whatever type."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return {"file": io.BytesIO(stream.read())}


class CarrierViewSet(viewsets.ReadOnlyModelViewSet[Carrier]):
    queryset = Carrier.objects.all()
    serializer_class = serializers.CarrierSerializer
    lookup_field = "code"


class ShipmentViewSet(viewsets.ReadOnlyModelViewSet[Shipment]):
    queryset = Shipment.objects.select_related("carrier")
    serializer_class = serializers.ShipmentSerializer
    filterset_class = ShipmentFilter
    pagination_class = ShipmentPages
    renderer_classes = [FastJSONRenderer]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # With `fields` only those columns are read. `rows` writes what the serializer would, in a tenth of its time.
        fields = chosen_fields(request, serializers.ShipmentSerializer.Meta.fields)
        found = self.filter_queryset(rows.read(Shipment.objects.order_by(), fields, *ORDERED_BY))
        return self.get_paginated_response(rows.written(self.paginate_queryset(found) or [], fields))

    @extend_schema(
        request={"text/csv": OpenApiTypes.STR, "application/x-ndjson": OpenApiTypes.STR},
        responses=serializers.ImportSerializer,
        filters=False,
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="import",
        parser_classes=[MultiPartParser, BodyParser],
        pagination_class=None,
    )
    def import_file(self, request: Request) -> Response:
        """CSV or NDJSON as the body, or as the `file` of a form. Good rows are kept, refused ones listed (1,000 at most)."""
        body = request.data
        file = body.get("file") if isinstance(body, dict) else None
        if file is None or not hasattr(file, "read"):
            raise RefusedError("Send the rows as the body, or as a form with the field file.", code="no_file")
        errors: list[dict[str, Any]] = []

        def report(refused: Refused) -> None:
            if len(errors) < MOST_ERRORS:
                errors.append(refused.as_json())

        try:
            result = import_shipments(
                file, name=getattr(file, "name", ""), on_refused=report, actor=request.user, source="api"
            )
        except UnreadableFileError as error:
            refusal = RefusedError(str(error), code="unreadable")
            refusal.status = 400
            raise refusal from error
        notes = [*result.notes, *([result.broken] if result.broken else [])]
        return Response({**result.counts(), "notes": notes, "errors": errors})

    @extend_schema(responses=serializers.EventSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def events(self, request: Request, pk: str) -> Response:
        """The latest 500 tracking events."""
        return Response(serializers.EventSerializer(self.get_object().events.all()[:500], many=True).data)


class MessageViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet[CarrierMessage]):
    queryset = CarrierMessage.objects.select_related("carrier")
    serializer_class = serializers.MessageSerializer
    filterset_class = MessageFilter
    parser_classes = [JSONParser]
