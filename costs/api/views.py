"""Costs over REST. Amounts are exact decimals in text; they are estimates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from core.timerange import PRESETS, time_range
from costs import selectors
from costs.models import Price

RANGES = [
    OpenApiParameter("range", str, enum=[*PRESETS, "custom"], description="custom with `from` and `to`; usual: 30d"),
    OpenApiParameter("from", str, description="first day, 2026-11-01"),
    OpenApiParameter("to", str, description="last day, included"),
]


class AmountSerializer(serializers.Serializer[Any]):
    usd = serializers.CharField(help_text="estimated, exact decimal")
    eur = serializers.CharField(allow_null=True, help_text="by the dated rates; null when one is missing")
    sample = serializers.BooleanField(help_text="contains sample data")
    unpriced_invocations = serializers.IntegerField(help_text="without a known price; not in the amounts")


class DaySerializer(AmountSerializer):
    day = serializers.DateField(help_text="UTC")


class FunctionCostSerializer(AmountSerializer):
    function = serializers.IntegerField()
    name = serializers.CharField()
    owner = serializers.CharField()
    capability = serializers.CharField()


class DailySerializer(serializers.Serializer[Any]):
    first = serializers.DateField()
    last = serializers.DateField(help_text="included")
    total = AmountSerializer()
    results = DaySerializer(many=True)


class FunctionsSerializer(serializers.Serializer[Any]):
    first = serializers.DateField()
    last = serializers.DateField(help_text="included")
    total = AmountSerializer()
    results = FunctionCostSerializer(many=True)


class DailyCostView(APIView):
    """Estimated cost by UTC day. Days without data are left out."""

    @extend_schema(responses=DailySerializer, parameters=RANGES, operation_id="costs_daily")
    def get(self, request: Request) -> Response:
        report = _report(request)
        days = [{"day": day, **_written(amount)} for day, amount in sorted(report.days.items())]
        return Response(_answer(report, days))


class FunctionCostView(APIView):
    """Estimated cost by function, the dearest first; adds up to the total."""

    @extend_schema(responses=FunctionsSerializer, parameters=RANGES, operation_id="costs_functions")
    def get(self, request: Request) -> Response:
        report = _report(request)
        ranked = sorted(report.functions.items(), key=lambda pair: (-pair[1].usd, pair[0].name))
        rows = [
            {"function": f.pk, "name": f.name, "owner": f.owner, "capability": f.capability, **_written(amount)}
            for f, amount in ranked
        ]
        return Response(_answer(report, rows))


class PriceSerializer(serializers.ModelSerializer[Price]):
    class Meta:
        model = Price
        fields = [
            "id", "region", "meter", "item", "architecture", "tier_from", "usd", "valid_from", "source", "checked_on",
        ]  # fmt: skip
        read_only_fields = fields


class PriceViewSet(ReadOnlyModelViewSet[Price]):
    """The dated price book; it is edited in the admin."""

    queryset = Price.objects.all()
    serializer_class = PriceSerializer
    filterset_fields = ["region", "meter", "item", "architecture"]
    ordering = ["id"]
    lookup_value_converter = "int"


def _report(request: Request) -> selectors.CostReport:
    period = time_range(request.query_params, default="30d")
    if period.problem:
        raise serializers.ValidationError({"range": [str(period.problem)]})
    return selectors.cost_report(*selectors.days_of(period))


def _answer(report: selectors.CostReport, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"first": report.first, "last": report.last, "total": _written(report.total), "results": rows}


def _written(amount: selectors.Amount) -> dict[str, Any]:
    return {
        "usd": _text(amount.usd), "eur": _text(amount.eur), "sample": amount.sample,
        "unpriced_invocations": amount.unpriced,
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
