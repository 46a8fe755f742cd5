"""What every function came to over a range, over REST: the numbers of the registry list. And what people keep by hand."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.strict import StrictSerializer, read
from services_registry.api.functions import RANGES, FunctionSerializer
from services_registry.function_facts import FunctionFacts
from services_registry.hand_kept import change_hand_kept
from services_registry.models import Function
from services_registry.views.function_list import asked_for

_FILTERS = [
    OpenApiParameter(name, str)
    for name in ("q", "runtime", "owner", "capability", "architecture", "kind", "account", "region", "gone")
]


class FactsSerializer(serializers.Serializer[Any]):
    """Null: nothing was measured, which is not zero. Rates of few calls are not hidden: look at `invocations`."""

    function = serializers.IntegerField(source="function.pk")
    function_name = serializers.CharField(source="function.name")
    owner = serializers.CharField(source="function.owner")
    invocations = serializers.IntegerField(allow_null=True)
    errors = serializers.IntegerField(  # type: ignore[assignment]  # a field of the answer, not the errors of input
        allow_null=True, help_text="time-outs included"
    )
    timeouts = serializers.IntegerField(allow_null=True)
    cold_starts = serializers.IntegerField(allow_null=True)
    max_memory_mb = serializers.IntegerField(allow_null=True)
    cost = serializers.SerializerMethodField(help_text="estimated USD, exact decimal")
    p50 = serializers.FloatField(source="percentiles.p50", allow_null=True, default=None, help_text="ms")
    p95 = serializers.FloatField(source="percentiles.p95", allow_null=True, default=None)
    p99 = serializers.FloatField(source="percentiles.p99", allow_null=True, default=None)
    before_invocations = serializers.IntegerField(allow_null=True, help_text="of the period of the same length before")
    before_errors = serializers.IntegerField(allow_null=True)
    before_timeouts = serializers.IntegerField(allow_null=True)
    sample = serializers.BooleanField(help_text="sample data, not the company's own")

    def get_cost(self, facts: FunctionFacts) -> str | None:
        return None if facts.cost is None else f"{facts.cost:f}"


class FactsPageSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="not included")
    as_of = serializers.DateTimeField(help_text="when the sums were made")
    results = FactsSerializer(many=True)


class FunctionFactsView(APIView):
    """Every function that matches, in one answer, with the filters, ranges and orders of the page."""

    @extend_schema(
        responses=FactsPageSerializer,
        parameters=[*RANGES, *_FILTERS, OpenApiParameter("sort", str, description="a column; usual: -invocations")],
    )
    def get(self, request: Request) -> Response:
        filters, period, facts = asked_for(request.query_params)
        if period.problem:
            raise serializers.ValidationError({"range": [str(period.problem)]})
        if filters.errors:
            raise serializers.ValidationError(filters.errors)
        said = {"start": period.start, "end": period.end, "as_of": facts.as_of, "results": facts.rows}
        return Response(FactsPageSerializer(said).data)


class KeptSerializer(StrictSerializer):
    owner = serializers.CharField(max_length=80, allow_blank=True, required=False)
    capability = serializers.CharField(max_length=80, allow_blank=True, required=False)
    runbook = serializers.URLField(max_length=300, allow_blank=True, required=False)
    notes = serializers.CharField(allow_blank=True, required=False)


class FunctionKeptView(APIView):
    """What people keep about a function; no sync overwrites it."""

    @extend_schema(request=KeptSerializer, responses=FunctionSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; the rest stays. Each change is on the audit trail."""
        function = get_object_or_404(Function, pk=pk)
        change_hand_kept([function], read(KeptSerializer, request), actor=request.user, source="api")
        function.refresh_from_db()
        return Response(FunctionSerializer(function).data)
