"""What-ifs over REST. Amounts are decimals in text, USD a month of 730 hours; they are estimates."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from costs.choices import WayOut
from costs.models import WhatIf
from costs.unit_costs.page import plain
from costs.what_if.answer import Answer, answer_of
from costs.what_if.assumptions import AssumptionsForm
from costs.what_if.bill import Option
from costs.what_if.servers import Offer
from services_registry.models import Function

PARAMETERS = [
    OpenApiParameter("days", int, enum=[7, 30, 90], description="last whole UTC days looked at; usual: 30"),
    OpenApiParameter("cpu", int, description="percent of a call's time that it computes; usual: 50"),
    OpenApiParameter("arm", OpenApiTypes.DECIMAL, description="time on arm64 against x86_64; usual: 1.00"),
    OpenApiParameter("server", str, description="like t4g.small; usual: the cheapest that holds the work"),
    OpenApiParameter("hours", int, description="a day that servers are on; usual: 24"),
    OpenApiParameter("fill", int, description="percent of a server that is filled at the busiest time; usual: 70"),
    OpenApiParameter("least", int, description="servers at least; usual: 1"),
    OpenApiParameter(
        "more", int, description="percent of the first call's memory for each further one at once; usual: 50"
    ),
    OpenApiParameter(
        "wait", str, enum=["yes", "no"], description="whether work may wait; usual: where a queue keeps it"
    ),
]


class WhatIfRowSerializer(serializers.ModelSerializer[WhatIf]):
    function_name = serializers.CharField(source="function.name")
    owner = serializers.CharField(source="function.owner")
    calls_per_day = serializers.FloatField()

    class Meta:
        model = WhatIf
        fields = [
            "function", "function_name", "owner", "as_of", "calls_per_day", "busy_share", "p95_ms", "cold_share", "usd", "way",
            "gain", "server", "servers", "server_usd", "arm_usd", "memory_mb", "memory_usd", "sample",
        ]  # fmt: skip
        read_only_fields = fields


class WhatIfViewSet(mixins.ListModelMixin, GenericViewSet[WhatIf]):
    """What every function of the last 30 days could be changed to, the most to win first. Reckoned every night."""

    queryset = WhatIf.objects.select_related("function")
    serializer_class = WhatIfRowSerializer
    filterset_fields = ["way", "sample"]
    ordering = ["-gain", "-pk"]


class OfferSerializer(serializers.Serializer[Any]):
    server = serializers.CharField()
    count = serializers.IntegerField()
    usd = serializers.CharField()
    decided_by = serializers.CharField(help_text="memory, cpu, baseline or least")


class OptionSerializer(serializers.Serializer[Any]):
    memory_mb = serializers.IntegerField()
    architecture = serializers.CharField()
    ms = serializers.FloatField(help_text="of a call, on average")
    usd = serializers.CharField()
    low = serializers.CharField(help_text="if calls only wait, or only compute, whichever is cheaper")
    high = serializers.CharField()
    fits = serializers.BooleanField(help_text="at least a tenth more than the most that was used")


class OneWhatIfSerializer(serializers.Serializer[Any]):
    function = serializers.IntegerField()
    assumptions = serializers.DictField(help_text="all of them, as they can be given")
    calls = serializers.IntegerField(help_text="0: it was not called, and nothing else is said")
    calls_per_day = serializers.FloatField(allow_null=True)
    busy_share = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)
    usd = serializers.CharField(allow_null=True, help_text="as it is; null: no known price")
    way = serializers.ChoiceField(choices=WayOut.choices, allow_null=True)
    gain = serializers.CharField(allow_null=True)
    break_even_calls_per_day = serializers.FloatField(allow_null=True, help_text="from which on servers are cheaper")
    servers = OfferSerializer(many=True)
    options = OptionSerializer(many=True)


class OneWhatIfView(APIView):
    """Should this function be a Lambda? With assumptions of your own."""

    @extend_schema(responses=OneWhatIfSerializer, parameters=PARAMETERS, operation_id="costs_functions_what_if")
    def get(self, request: Request, pk: int) -> Response:
        function = get_object_or_404(Function, pk=pk)
        form = AssumptionsForm(request.query_params)
        if not form.is_valid():
            raise serializers.ValidationError({name: list(map(str, texts)) for name, texts in form.errors.items()})
        found = answer_of(function, form.assumptions())
        return Response({"function": function.pk, "assumptions": _given(form), **_answer(found)})


def _given(form: AssumptionsForm) -> dict[str, Any]:
    return {name: str(value) if name == "arm" else value for name, value in form.cleaned_data.items()}


def _answer(found: Answer | None) -> dict[str, Any]:
    if found is None:
        names = ("calls_per_day", "busy_share", "p95_ms", "usd", "way", "gain", "break_even_calls_per_day")
        return {"calls": 0, **dict.fromkeys(names), "servers": [], "options": []}
    use = found.use
    return {
        "calls": use.calls, "calls_per_day": use.calls_per_day, "busy_share": use.busy_share, "p95_ms": use.p95_ms,
        "usd": plain(found.usd), "way": found.way.value, "gain": plain(found.gain),
        "break_even_calls_per_day": found.break_even, "servers": [_offer(offer) for offer in found.offers],
        "options": [_option(option) for option in found.options],
    }  # fmt: skip


def _offer(offer: Offer) -> dict[str, Any]:
    return {"server": offer.type.name, "count": offer.count, "usd": plain(offer.usd), "decided_by": offer.why}


def _option(option: Option) -> dict[str, Any]:
    return {
        "memory_mb": option.memory_mb, "architecture": option.architecture, "ms": float(option.ms), "usd": plain(option.usd),
        "low": plain(option.low), "high": plain(option.high), "fits": option.fits,
    }  # fmt: skip
