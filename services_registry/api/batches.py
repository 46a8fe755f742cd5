"""Batches over REST: the same functions as the pages. `Idempotency-Key` makes a repeated request the same batch."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from services_registry import batches as engine
from services_registry.api.batch_serializers import (
    SHARED_OPTIONS,
    AdjustSerializer,
    BatchDetailSerializer,
    BatchItemSerializer,
    BatchSerializer,
    ChunkSerializer,
    ReasonSerializer,
    RetryPreviewSerializer,
    StartSerializer,
)
from services_registry.batch_filters import BatchFilter
from services_registry.choices import ItemState
from services_registry.models import Batch
from services_registry.views.batch_downloads import results_response

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="At most 120 characters. Repeat it to get the same batch instead of a second.",
)
HEAVY = ("selection", "context", "payload", "plan")


class AnythingAccepted(BaseContentNegotiation):
    """For downloads: whatever the client accepts, errors are JSON and the file is what it is."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class BatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Batch]):
    """Start work on many items, watch it, pause, change or cancel it, retry what failed, take the results."""

    queryset = Batch.objects.all()
    serializer_class = BatchSerializer
    filterset_class = BatchFilter
    ordering = ["-created", "-id"]
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Batch]:
        batches: QuerySet[Batch] = super().get_queryset()
        return batches.defer(*HEAVY) if self.action == "list" else batches

    @extend_schema(responses=BatchDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One batch, with its plan, its pace and what cannot be ended any more."""
        return _answer(self.get_object())

    @extend_schema(
        request=StartSerializer, responses={201: BatchDetailSerializer, 200: BatchDetailSerializer}, parameters=[KEY]
    )
    def create(self, request: Request) -> Response:
        """201 for the request that made the batch, 200 when the idempotency key has started it before."""
        batch = _start(_read(StartSerializer, request), request.user, _key(request))
        return _answer(batch, made=getattr(batch, "created_now", False))

    @extend_schema(request=AdjustSerializer, responses=BatchDetailSerializer)
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        """Change the limits of an open batch. They hold from the next invocation on."""
        batch = self.get_object()
        return _answer(engine.adjust_batch(batch, actor=request.user, source="api", **_read(AdjustSerializer, request)))

    @extend_schema(
        responses=BatchItemSerializer(many=True), parameters=[OpenApiParameter("state", str, enum=ItemState.values)]
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def items(self, request: Request, pk: Any = None) -> Response:
        """What became of each item, in the order of work."""
        items = self.get_object().items.order_by("position")
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

    @extend_schema(operation_id="batches_results_zip", responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(
        detail=True, methods=["get"], filterset_class=None, url_path="results.zip", pagination_class=None,
        content_negotiation_class=AnythingAccepted,
    )  # fmt: skip
    def results(self, request: Request, pk: Any = None) -> HttpResponseBase:
        """All files that came of the batch so far, and `index.csv`, which says whose they are. 404 when there is none."""
        return results_response(self.get_object())

    @extend_schema(request=ReasonSerializer, responses=BatchDetailSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: Any = None) -> Response:
        """Invoke nothing more until it is resumed. Repeating it changes nothing."""
        return self._steered(request, engine.pause_batch)

    @extend_schema(request=ReasonSerializer, responses=BatchDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: Any = None) -> Response:
        """Go on with a batch that was paused, or halted by its failure limit."""
        return self._steered(request, engine.resume_batch)

    @extend_schema(request=ReasonSerializer, responses=BatchDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Cancel what has not begun. Repeating it changes nothing."""
        return self._steered(request, engine.cancel_batch)

    def _steered(self, request: Request, steer: Any) -> Response:
        batch = self.get_object()
        steer(batch, actor=request.user, source="api", reason=_read(ReasonSerializer, request)["reason"])
        batch.refresh_from_db()
        return _answer(batch)

    @extend_schema(
        request=ReasonSerializer, responses={201: BatchDetailSerializer, 200: BatchDetailSerializer}, parameters=[KEY]
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        """A new batch of exactly the failed items; 200 when the idempotency key has made it before."""
        reason = _read(ReasonSerializer, request)["reason"]
        child = engine.retry_failed(
            self.get_object(), actor=request.user, source="api", reason=reason, idempotency_key=_key(request)
        )
        return _answer(child, made=getattr(child, "created_now", False))

    @extend_schema(responses=RetryPreviewSerializer)
    @action(detail=True, methods=["get"], url_path="retry-preview", filterset_class=None, pagination_class=None)
    def retry_preview(self, request: Request, pk: Any = None) -> Response:
        """What a retry would touch."""
        preview = engine.redrive_preview(self.get_object())
        errors = [{"error_type": error, "items": count} for error, count in preview.by_error]
        running = preview.running.pk if preview.running else None
        shown = {"items": preview.items, "by_error": errors, "labels": preview.labels, "running": running}
        return Response(RetryPreviewSerializer(shown).data)


def _answer(batch: Batch, *, made: bool = False) -> Response:
    return Response(BatchDetailSerializer(batch).data, status.HTTP_201_CREATED if made else status.HTTP_200_OK)


def _read(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = kind(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _key(request: Request) -> str | None:
    return request.headers.get("Idempotency-Key") or None


def _start(asked: dict[str, Any], actor: Any, key: str | None) -> Batch:
    """Only what was said is passed on; for the rest the engine's own defaults hold."""
    common = {
        "actor": actor, "source": "api", "reason": asked["reason"], "title": asked.get("title"), "idempotency_key": key,
    }  # fmt: skip
    options: dict[str, Any] = common | {name: asked[name] for name in (*SHARED_OPTIONS, "context") if name in asked}
    if "capability" in asked:
        return engine.start_batch(capability=asked["capability"], selection=asked["selection"], **options)
    options |= {"function_name": asked["function"], "region": asked["region"], "qualifier": asked["qualifier"]}
    if "payload" in asked:
        return engine.start_run(payload=asked["payload"], **options)
    options |= {name: asked[name] for name in ("chunked", "repeatable") if name in asked}
    return engine.start_runs(payloads=asked["payloads"], **options)
