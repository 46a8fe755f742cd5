"""Missing documents over REST: the filters of the board, waiving, and the kinds of work in a selection."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pagination import CursorPages, page_size_of
from core.bounded import bounded_page
from core.pagination import BadCursorError
from shipments.completeness import board, changes
from shipments.completeness.filters import ExpectedFilter
from shipments.completeness.kinds import error_words
from shipments.completeness.work import kinds_of, rows_of
from shipments.models import ExpectedDocument
from shipments.models.completeness import NOT_KNOWN_YET


class ExpectedSerializer(serializers.ModelSerializer[ExpectedDocument]):
    carrier = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    tracking_number = serializers.CharField(source="shipment.tracking_number", read_only=True)
    due = serializers.SerializerMethodField(help_text="null: not known before the delivery has come so far")
    last_error = serializers.SerializerMethodField(help_text="in words; error_type is stable, for programs")

    class Meta:
        model = ExpectedDocument
        fields = [
            "id", "shipment", "tracking_number", "carrier", "document_type", "obtain", "state", "turn", "since", "due",
            "completed", "tries", "last_try", "last_batch", "error_type", "last_error", "next_try", "rule", "sample",
        ]  # fmt: skip

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_due(self, row: ExpectedDocument) -> Any:
        return row.due if row.due < NOT_KNOWN_YET else None

    def get_last_error(self, row: ExpectedDocument) -> str:
        return error_words(row.error_type, row.error_message)


class ChosenSerializer(serializers.Serializer[Any]):
    """Rows by id, or by the filters of the list."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=50_000)
    query = serializers.DictField(required=False, help_text='filters of the list, like {"carrier": "acme"}')

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("query" in attrs):
            raise serializers.ValidationError({"ids": ["Name either ids or a query."]})
        return attrs

    def asked(self) -> dict[str, Any]:
        data = self.validated_data
        return {"ids": ",".join(map(str, data["ids"]))} if "ids" in data else dict(data["query"])


class WaiveSerializer(ChosenSerializer):
    reason = serializers.CharField(max_length=300)


class WaivedSerializer(serializers.Serializer[Any]):
    action = serializers.UUIDField(help_text="takes it back")
    waived = serializers.IntegerField()


class TakeBackSerializer(serializers.Serializer[Any]):
    action = serializers.UUIDField()


class TakenBackSerializer(serializers.Serializer[Any]):
    taken_back = serializers.IntegerField()


class KindSerializer(serializers.Serializer[Any]):
    """`capability`, `selection` and `context` as `POST /api/v1/batches/` takes them."""

    obtain = serializers.CharField()
    document_type = serializers.CharField()
    rows = serializers.IntegerField()
    capability = serializers.CharField(help_text="empty: only a person can get it")
    selection = serializers.DictField()
    context = serializers.DictField()  # type: ignore[assignment]  # the answer's word; the base means its own context


class ExpectedPages(CursorPages):
    """Most overdue first. A page may have fewer rows than asked for and still a `next`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self.request = request
        cursor, size = request.query_params.get("cursor", ""), page_size_of(request)

        def walk() -> Any:
            return board.walk_of(request.query_params)

        try:
            self.page = bounded_page(queryset, walk=walk, order=board.ORDER, cursor=cursor, size=size)
        except BadCursorError as error:
            raise ValidationError({"cursor": ["Not a cursor of this list; start again without it."]}) from error
        return self.page.rows


class ExpectedViewSet(viewsets.ReadOnlyModelViewSet[ExpectedDocument]):
    """Documents that deliveries lack; without `state` those that are open."""

    queryset = ExpectedDocument.objects.select_related("shipment", "carrier")
    serializer_class = ExpectedSerializer
    filterset_class = ExpectedFilter
    pagination_class = ExpectedPages

    @extend_schema(request=WaiveSerializer, responses=WaivedSerializer, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None)
    def waive(self, request: Request) -> Response:
        """These deliveries may do without these documents; only open rows change."""
        asked = WaiveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        rows = rows_of(asked.asked())
        click, count = changes.waive(rows, reason=asked.validated_data["reason"], actor=request.user, source="api")
        return Response({"action": click, "waived": count})

    @extend_schema(request=TakeBackSerializer, responses=TakenBackSerializer, filters=False)
    @action(detail=False, methods=["post"], url_path="take-back", pagination_class=None)
    def take_back(self, request: Request) -> Response:
        """Undo one waive."""
        asked = TakeBackSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        count = changes.take_back_waivers(asked.validated_data["action"], actor=request.user, source="api")
        return Response({"taken_back": count})

    @extend_schema(request=ChosenSerializer, responses=KindSerializer(many=True), filters=False)
    @action(detail=False, methods=["post"], pagination_class=None)
    def work(self, request: Request) -> Response:
        """The kinds of work that get these documents, each ready to be started as a batch; nothing is started."""
        asked = ChosenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(KindSerializer(kinds_of(asked.asked()), many=True).data)
