"""Batches over REST: the same functions as the pages. `Idempotency-Key` makes a repeated request the same batch."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from services_registry.batch_filters import BatchFilter
from services_registry.batches import cancel_batch, retry_failed, start_batch, start_run
from services_registry.choices import ItemState
from services_registry.models import Batch, BatchItem

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Repeat it to get the same batch instead of a second."
)


class BatchSerializer(serializers.ModelSerializer[Batch]):
    pending = serializers.IntegerField(read_only=True)

    class Meta:
        model = Batch
        fields = [
            "id", "title", "capability", "function_name", "region", "qualifier", "state", "cancel_requested", "parent",
            "selection", "chunk_size", "concurrency", "created_by_name", "source", "reason", "sample", "created",
            "finished", "total", "succeeded", "failed", "cancelled", "pending",
        ]  # fmt: skip
        read_only_fields = fields


class ChunkSerializer(serializers.Serializer[Any]):
    """How one invocation of a batch went."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    state = serializers.CharField()
    outcome = serializers.CharField()
    attempt = serializers.IntegerField()
    request_id = serializers.CharField()
    duration_ms = serializers.FloatField(allow_null=True)
    billed_ms = serializers.IntegerField(allow_null=True)
    init_ms = serializers.FloatField(allow_null=True)
    error_type = serializers.CharField()
    error_message = serializers.CharField()
    response = serializers.JSONField(allow_null=True, help_text="the answer of a plain JSON run")


class BatchItemSerializer(serializers.ModelSerializer[BatchItem]):
    class Meta:
        model = BatchItem
        fields = ["position", "key", "label", "state", "outcome", "error_type", "error_message", "result", "settled"]
        read_only_fields = fields


class StartSerializer(serializers.Serializer[Any]):
    """Either `capability` with `selection`, or `function` with `payload`."""

    capability = serializers.CharField(max_length=60, required=False)
    selection = serializers.DictField(required=False, help_text='{"keys": [...]} or {"query": {...}}')
    context = serializers.DictField(  # type: ignore[assignment]  # the envelope's word; the base means another context
        required=False, help_text="options for the whole batch; no secrets"
    )
    chunk_size = serializers.IntegerField(min_value=1, required=False)
    function = serializers.CharField(max_length=140, required=False)
    payload = serializers.JSONField(required=False)
    region = serializers.CharField(max_length=30, required=False, default="")
    qualifier = serializers.CharField(max_length=128, required=False, default="")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    title = serializers.CharField(max_length=200, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("capability" in attrs) == ("function" in attrs):
            raise serializers.ValidationError("Name either a capability or a function.")
        if "capability" in attrs and "selection" not in attrs:
            raise serializers.ValidationError({"selection": ["Needed with a capability."]})
        if "function" in attrs and "payload" not in attrs:
            raise serializers.ValidationError({"payload": ["Needed with a function; send {} for an empty one."]})
        return attrs


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class BatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Batch]):
    """Start work on many items, watch it, cancel it, retry what failed."""

    queryset = Batch.objects.all()
    serializer_class = BatchSerializer
    filterset_class = BatchFilter
    ordering = ["-created", "-id"]
    lookup_value_converter = "uuid"

    @extend_schema(request=StartSerializer, responses={201: BatchSerializer, 200: BatchSerializer}, parameters=[KEY])
    def create(self, request: Request) -> Response:
        """201 for a new batch, 200 when the idempotency key has started it before."""
        asked = StartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        key = _key(request)
        existed = bool(key) and Batch.objects.filter(idempotency_key=key).exists()
        batch = _start(asked.validated_data, request.user, key)
        return Response(BatchSerializer(batch).data, status.HTTP_200_OK if existed else status.HTTP_201_CREATED)

    @extend_schema(
        responses=BatchItemSerializer(many=True), parameters=[OpenApiParameter("state", str, enum=ItemState.values)]
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def items(self, request: Request, pk: Any = None) -> Response:
        """What became of each item, in the order of work."""
        items: QuerySet[BatchItem] = self.get_object().items.order_by("position")
        if state := request.query_params.get("state"):
            if state not in ItemState.values:
                raise serializers.ValidationError({"state": [f"One of {', '.join(ItemState.values)}."]})
            items = items.filter(state=state)
        return self._page(items, BatchItemSerializer)

    @extend_schema(responses=ChunkSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def chunks(self, request: Request, pk: Any = None) -> Response:
        """The invocations; a plain run's answer is in its one chunk."""
        return self._page(self.get_object().chunks.order_by("position"), ChunkSerializer)

    def _page(self, rows: QuerySet[Any], serializer: Any) -> Response:
        """A page of the parts of one batch, by position."""
        self.ordering = ["position"]
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True).data)

    @extend_schema(request=ReasonSerializer, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Cancel what has not begun. Repeating it changes nothing."""
        batch = self.get_object()
        cancel_batch(batch, actor=request.user, source="api", reason=_reason(request))
        return Response(BatchSerializer(batch).data)

    @extend_schema(request=ReasonSerializer, responses={201: BatchSerializer}, parameters=[KEY])
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        """A new batch of exactly the failed items."""
        child = retry_failed(
            self.get_object(), actor=request.user, source="api", reason=_reason(request), idempotency_key=_key(request)
        )
        return Response(BatchSerializer(child).data, status.HTTP_201_CREATED)


def _key(request: Request) -> str | None:
    return request.headers.get("Idempotency-Key") or None


def _reason(request: Request) -> str:
    asked = ReasonSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return str(asked.validated_data["reason"])


def _start(asked: dict[str, Any], actor: Any, key: str | None) -> Batch:
    common: dict[str, Any] = {
        "actor": actor, "source": "api", "reason": asked["reason"], "title": asked.get("title"), "idempotency_key": key,
    }  # fmt: skip
    if "capability" in asked:
        return start_batch(
            capability=asked["capability"],
            selection=asked["selection"],
            context=asked.get("context"),
            chunk_size=asked.get("chunk_size"),
            **common,
        )
    return start_run(
        function_name=asked["function"],
        payload=asked["payload"],
        region=asked["region"],
        qualifier=asked["qualifier"],
        **common,
    )
