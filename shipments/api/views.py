"""Deliveries over REST: lists by keyset with the filters of the pages, and the import; one of them: `delivery`."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import IO, Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.renderers import FastJSONRenderer
from core.api.sparse import chosen_fields
from core.api.sync import PARAMETER, UPDATED_SINCE, changed_since
from core.errors import RefusedError
from shipments.api import rows, serializers
from shipments.api.delivery import ShipmentWrites
from shipments.api.intake_serializers import ImportFileSerializer
from shipments.api.pagination import ShipmentPages
from shipments.deliveries.importer import Refused, UnreadableFileError, import_shipments
from shipments.filters import ShipmentFilter
from shipments.listing.order import ORDERED_BY
from shipments.models import Shipment

MOST_ERRORS = 1_000


class BodyParser(BaseParser):
    """The body as it is, of whatever type."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return {"file": io.BytesIO(stream.read())}


class ShipmentViewSet(ShipmentWrites, viewsets.ReadOnlyModelViewSet[Shipment]):
    queryset = Shipment.objects.select_related("carrier")
    serializer_class = serializers.ShipmentSerializer
    filterset_class = ShipmentFilter
    pagination_class = ShipmentPages
    renderer_classes = [FastJSONRenderer]

    @extend_schema(parameters=[UPDATED_SINCE])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if PARAMETER in request.query_params:
            return changed_since(self, request)
        return self.get_paginated_response(self.written(self.paginate_queryset(self.found()) or []))

    # With `fields` only those columns are read. `rows` writes what the serializer would, in a tenth of its time.
    def found(self) -> QuerySet[Any, Any]:
        """The rows that the filters match, in no order."""
        return self.filter_queryset(rows.read(Shipment.objects.order_by(), self._fields(), *ORDERED_BY))

    def written(self, found: Iterable[Any]) -> Any:
        return rows.written(found, self._fields())

    def _fields(self) -> Sequence[str]:
        known = serializers.ShipmentSerializer.Meta.fields
        return chosen_fields(self.request, known) or list(known)

    @extend_schema(
        request={
            "multipart/form-data": ImportFileSerializer,
            "text/csv": OpenApiTypes.STR,
            "application/x-ndjson": OpenApiTypes.STR,
        },
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
