"""What statuses there are, why they are so, and what carriers' codes mean, over REST; and saved views."""

from __future__ import annotations

from typing import Any

import django_filters
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import saved_views
from core.api.strict import read
from core.models import SavedView
from shipments.api import examples
from shipments.api.write_serializers import MappingCreateSerializer
from shipments.choices import TONES, Status
from shipments.filters import CarrierFilter
from shipments.listing.page import LIST_NAME
from shipments.models import Carrier, CodeMapping, Reason, UnmappedCode
from shipments.reasons import reasons_of
from shipments.status import decisions, remap
from shipments.status.changes import Change
from shipments.status.seed import VALID_FROM

DRY_RUN = OpenApiParameter(
    "dry_run", bool, description="true: nothing is written; the answer says what it would do to deliveries."
)


class StatusSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the answer's word; the base means its own label
    tone = serializers.CharField(help_text="the colour of its badge")


class StatusView(APIView):
    @extend_schema(responses=StatusSerializer(many=True), operation_id="statuses_list")
    def get(self, request: Request) -> Response:
        """The twelve statuses of a delivery."""
        return Response([{"code": one.value, "label": str(one.label), "tone": TONES[one]} for one in Status])


class ReasonSerializer(serializers.ModelSerializer[Reason]):
    class Meta:
        model = Reason
        fields = ["code", "status", "family", "label", "valid_from", "valid_until"]


class ReasonView(APIView):
    @extend_schema(
        responses=ReasonSerializer(many=True), operation_id="reasons_list",
        parameters=[OpenApiParameter("all", bool, description="true: also those that do not hold today.")],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The reasons below the statuses, as they hold today."""
        every = request.query_params.get("all", "") in ("1", "true")
        rows = Reason.objects.all() if every else reasons_of(timezone.now().date())
        return Response(ReasonSerializer(rows, many=True).data)


class MappingSerializer(serializers.ModelSerializer[CodeMapping]):
    carrier = serializers.SlugRelatedField[Carrier](
        slug_field="code", read_only=True, help_text="null: for all carriers that have no row of their own"
    )

    class Meta:
        model = CodeMapping
        fields = [
            "id", "carrier", "code", "status", "reason", "valid_from", "valid_until", "source", "changed_by", "changed",
        ]  # fmt: skip


class RunSerializer(serializers.Serializer[Any]):
    """The history is gone over in the background; `run` names it on the page of carrier codes."""

    run = serializers.UUIDField()
    mapping = MappingSerializer(allow_null=True)


class MoveSerializer(serializers.Serializer[Any]):
    before = serializers.CharField()
    after = serializers.CharField()
    count = serializers.IntegerField()


class PreviewSerializer(serializers.Serializer[Any]):
    events = serializers.IntegerField(help_text="that have the code")
    shipments = serializers.IntegerField()
    more = serializers.BooleanField(help_text="true: at least so many")
    looked_at = serializers.IntegerField(help_text="of the deliveries, worked out exactly")
    changes = MoveSerializer(many=True)


class MappingFilter(django_filters.FilterSet):
    carrier = CarrierFilter()
    code = django_filters.CharFilter(lookup_expr="iexact", max_length=40)

    class Meta:
        model = CodeMapping
        fields = ["carrier", "code"]


class MappingViewSet(viewsets.ReadOnlyModelViewSet[CodeMapping]):
    """What carriers' codes mean, by dated rows. Administrators write; events there are get the new meaning afterwards."""

    queryset = CodeMapping.objects.select_related("carrier").order_by("id")
    serializer_class = MappingSerializer
    filterset_class = MappingFilter
    ordering = ["id"]
    write_permission = "core.administer"

    @extend_schema(
        request=MappingCreateSerializer, responses={201: RunSerializer, 200: PreviewSerializer}, parameters=[DRY_RUN],
        filters=False, examples=[examples.MAPPING],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Say what a code means from a day on. The row that held until then ends that day; one of that very day is replaced."""
        asked = read(MappingCreateSerializer, request)
        day = asked.get("valid_from") or VALID_FROM
        if asked["reason"] and not reasons_of(timezone.now().date()).filter(code=asked["reason"]).exists():
            words = "Not a reason that holds today; see /api/v1/reasons/."
            raise ValidationError({"reason": [ErrorDetail(words, "unknown_reason")]})
        change = Change(asked["carrier"].pk, asked["code"].strip(), asked["status"], asked["reason"], day)
        if _dry(request):
            return _preview(change)
        mapping, run = decisions.map_code(change, actor=request.user, source="api")
        return Response({"run": run.id, "mapping": MappingSerializer(mapping).data}, status=201)

    @extend_schema(responses={202: RunSerializer, 200: PreviewSerializer}, parameters=[DRY_RUN], filters=False)
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a carrier's own mapping back; the one that ended for its sake holds again."""
        mapping = self.get_object()
        if mapping.carrier_id is None:
            raise Http404("Only a carrier's own mappings are taken back here.")
        if _dry(request):
            return _preview(Change(mapping.carrier_id, mapping.code, undo=mapping.pk))
        run = decisions.take_back_code(mapping, actor=request.user, source="api")
        return Response({"run": run.id, "mapping": None}, status=202)


def _dry(request: Request) -> bool:
    return request.query_params.get("dry_run", "") in ("1", "true")


def _preview(change: Change) -> Response:
    found = remap.preview(change)
    lines = [{"before": line.before, "after": line.after, "count": line.count} for line in found.lines]
    return Response(
        {
            "events": found.events, "shipments": found.shipments, "more": found.more, "looked_at": found.looked_at,
            "changes": lines,
        }
    )  # fmt: skip


class UnmappedSerializer(serializers.ModelSerializer[UnmappedCode]):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", read_only=True)

    class Meta:
        model = UnmappedCode
        fields = ["carrier", "code", "text", "events", "shipments", "first_seen", "last_seen"]


class UnmappedFilter(MappingFilter):
    class Meta:
        model = UnmappedCode
        fields = ["carrier", "code"]


class UnmappedViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[UnmappedCode]):
    """Codes that no mapping knows, those on which most deliveries wait first."""

    queryset = UnmappedCode.objects.select_related("carrier")
    serializer_class = UnmappedSerializer
    filterset_class = UnmappedFilter
    ordering = ["-shipments", "-id"]


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    owner = serializers.CharField(source="owner.username", read_only=True)

    class Meta:
        model = SavedView
        fields = ["id", "name", "query", "owner", "shared", "created"]


class SavedViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[SavedView]):
    """Views of the list of deliveries that people saved: their own, and shared ones. `query` fits `/shipments/?…`."""

    queryset = SavedView.objects.none()
    serializer_class = SavedViewSerializer
    ordering = ["name", "id"]

    def get_queryset(self) -> Any:
        return saved_views.visible_to(self.request.user, LIST_NAME)
