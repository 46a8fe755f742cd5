"""Carriers and messages over REST, and what their lists share."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import KEY, idempotent
from core.api.sparse import FIELDS, SparseMixin
from core.api.strict import read
from core.api.sync import SyncCursorPages, SyncMixin
from shipments.api import examples, serializers
from shipments.api.write_serializers import MessageCorrectionSerializer, MessageCreateSerializer
from shipments.filters import MessageFilter
from shipments.messages.decisions import add_message, correct_message
from shipments.models import Carrier, CarrierMessage


class CarrierViewSet(viewsets.ReadOnlyModelViewSet[Carrier]):
    queryset = Carrier.objects.all()
    serializer_class = serializers.CarrierSerializer
    lookup_field = "code"


class SyncedViewSet(SyncMixin, SparseMixin, viewsets.ReadOnlyModelViewSet[Any]):
    pagination_class = SyncCursorPages
    filterset_class: Any = None

    @extend_schema(parameters=[FIELDS])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.filterset_class = None  # a filter of the list must not hide it
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(parameters=[FIELDS])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class MessageViewSet(SyncedViewSet):
    queryset: QuerySet[CarrierMessage] = CarrierMessage.objects.select_related("carrier")
    serializer_class = serializers.MessageSerializer
    filterset_class: Any = MessageFilter
    parser_classes = [JSONParser]

    @extend_schema(
        request=MessageCreateSerializer, responses={201: serializers.MessageSerializer}, parameters=[KEY], filters=False,
        examples=[examples.MESSAGE],
    )  # fmt: skip
    @idempotent
    def create(self, request: Request) -> Response:
        """A message as the carrier wrote it; classified with the next batch of messages."""
        message = add_message(actor=request.user, source="api", **read(MessageCreateSerializer, request))
        return Response(serializers.MessageSerializer(message).data, status=201)

    @extend_schema(
        request=MessageCorrectionSerializer, responses=serializers.MessageSerializer, filters=False,
        examples=[examples.CORRECTION],
    )  # fmt: skip
    def partial_update(self, request: Request, pk: str) -> Response:
        """Say what it means: a person's word goes before any classification, and moves the delivery when `applied`."""
        self.filterset_class = None
        asked = read(MessageCorrectionSerializer, request)
        message = correct_message(self.get_object().pk, actor=request.user, source="api", **asked)
        return Response(serializers.MessageSerializer(message).data)
