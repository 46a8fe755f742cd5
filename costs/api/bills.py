"""Bills over REST: send one, follow it, say yes, take it back; and billed sums by whatever tells charges apart."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from costs.billed import DIMENSIONS, Asked, Billed, billed, grand_total
from costs.imports import undoing, waiting
from costs.imports.shapes import FOCUS_NAMES, UnreadableBillError, plain
from costs.models import CostImport

MOST_GROUPS = 10_000


class BillFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()
    account = serializers.CharField(required=False, help_text="whose Cost Explorer answered; its answers do not say")
    dry_run = serializers.BooleanField(required=False, help_text="only say what it would change, then wait for confirm")


class UndoBillSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class BillSerializer(serializers.ModelSerializer[CostImport]):
    totals = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
    by_service = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))

    class Meta:
        model = CostImport
        fields = [
            "id", "name", "sha256", "account", "format", "source", "state", "bytes", "rows", "stored", "period_start",
            "period_end", "totals", "by_service", "changes", "notes", "problem", "door", "created_by_name", "created",
            "started", "finished",
        ]  # fmt: skip
        read_only_fields = fields


class BillViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CostImport]):
    """Bills that came in, and what became of them."""

    queryset = CostImport.objects.all()
    serializer_class = BillSerializer
    parser_classes = [MultiPartParser, JSONParser]
    filterset_fields = ["state", "source", "door"]
    lookup_value_converter = "uuid"

    @extend_schema(request={"multipart/form-data": BillFileSerializer}, responses={202: BillSerializer})
    def create(self, request: Request) -> Response:
        """Send a bill: FOCUS, a Cost and Usage Report, or an answer of Cost Explorer; also packed.

        A worker takes it in. With `dry_run` it works out what the bill would change and waits for `confirm`. The same
        bytes that are in the figures already give the import that brought them.
        """
        asked = BillFileSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        file = asked.validated_data["file"]
        account, ask = asked.validated_data.get("account", ""), asked.validated_data.get("dry_run", False)
        try:
            made = waiting.receive(file, actor=request.user, door="api", account=account, ask=ask)
        except UnreadableBillError as error:
            raise serializers.ValidationError({"file": [str(error)]}) from error
        return Response(self.get_serializer(made).data, status=202)

    @extend_schema(request=None, responses={202: BillSerializer})
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Put a bill that waits into the figures."""
        made = self.get_object()
        waiting.confirm(made, actor=request.user, source="api")
        made.refresh_from_db()
        return Response(self.get_serializer(made).data, status=202)

    @extend_schema(request=UndoBillSerializer, responses=BillSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take a bill back; what it replaced counts again. 409 where that is no longer known."""
        made = self.get_object()
        asked = UndoBillSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        undoing.undo(made, actor=request.user, source="api", reason=asked.validated_data.get("reason", ""))
        made.refresh_from_db()
        return Response(self.get_serializer(made).data)


class BilledGroupSerializer(serializers.Serializer[Any]):
    values = serializers.DictField(child=serializers.CharField(), help_text="by dimension, in the order of `by`")
    currency = serializers.CharField()
    costs = serializers.DictField(child=serializers.CharField(allow_null=True), help_text="exact decimals; FOCUS names")
    lines = serializers.IntegerField(help_text="lines of bills")
    estimated = serializers.BooleanField(help_text="a bill says that some of it may still change")


class BilledSerializer(serializers.Serializer[Any]):
    totals = serializers.DictField(child=serializers.CharField(), help_text="BilledCost by currency")
    more = serializers.BooleanField(help_text="there are more groups than are shown; totals are of all")
    results = BilledGroupSerializer(many=True)


class BilledView(APIView):
    """Billed costs, grouped."""

    @extend_schema(
        operation_id="costs_billed", responses=BilledSerializer,
        parameters=[
            OpenApiParameter("by", str, description=f"one or several, with commas: {', '.join(sorted(DIMENSIONS))}"),
            OpenApiParameter("from", date, description="first day, UTC"),
            OpenApiParameter("before", date, description="the day after the last"),
            OpenApiParameter("import", str, description="only what this import told"),
            *(OpenApiParameter(name, str) for name in sorted(DIMENSIONS - {"day", "month"})),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Exact sums of the bills that count, the dearest group first. Currencies are never added up."""
        groups = billed(asked_of(request))
        by = _names(request)
        return Response(
            {
                "totals": {currency: plain(value) for currency, value in grand_total(groups).items()},
                "more": len(groups) > MOST_GROUPS,
                "results": [_written(group, by) for group in groups[:MOST_GROUPS]],
            }
        )


class _Question(serializers.Serializer[Any]):
    first = serializers.DateField(required=False)
    end = serializers.DateField(required=False)
    cost_import = serializers.UUIDField(required=False)


def asked_of(request: Request) -> Asked:
    """The question in the address. Raises a 400 that names what is not understood."""
    given = request.query_params
    unknown = [name for name in _names(request) if name not in DIMENSIONS]
    if unknown:
        raise serializers.ValidationError({"by": [f"Not known: {', '.join(unknown)}."]})
    spelled = {"first": given.get("from"), "end": given.get("before"), "cost_import": given.get("import")}
    question = _Question(data={name: value for name, value in spelled.items() if value})
    question.is_valid(raise_exception=True)
    where = {name: given[name] for name in DIMENSIONS - {"day", "month", "source"} if name in given}
    return Asked(by=_names(request), where=where, source=given.get("source", ""), **question.validated_data)


def _names(request: Request) -> tuple[str, ...]:
    return tuple(name.strip() for name in request.query_params.get("by", "").split(",") if name.strip())


def _written(group: Billed, by: tuple[str, ...]) -> dict[str, Any]:
    costs = {FOCUS_NAMES[name]: value for name, value in group.sums.items() if name in FOCUS_NAMES}
    return {
        "values": {name: str(value) for name, value in zip(by, group.values, strict=True)},
        "currency": group.currency,
        "costs": {name: None if value is None else plain(value) for name, value in costs.items()},
        "lines": group.lines,
        "estimated": group.estimated,
    }
