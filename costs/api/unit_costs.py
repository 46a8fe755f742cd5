"""Cost per delivery over REST. Amounts are exact decimals in text; they are estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.timerange import PRESETS
from costs.choices import Step
from costs.unit_costs import page
from costs.unit_costs.page import plain
from costs.unit_costs.reading import CARRIER, KIND, TOGETHER, Beside, Work, beside_of, together, work_of
from shipments.models import Carrier

PARAMETERS = [
    OpenApiParameter("range", str, enum=[*PRESETS, "custom"], description="custom with `from` and `to`; usual: 30d"),
    OpenApiParameter("from", str, description="first day, 2026-11-01"),
    OpenApiParameter("to", str, description="last day, included"),
    OpenApiParameter("step", str, enum=Step.values, description="usual: day, beyond 100 days week"),
    OpenApiParameter("by", str, enum=[CARRIER, KIND], description="split by it; usual: not split"),
    OpenApiParameter("carrier", str, description="only of this carrier, by its code"),
    OpenApiParameter("kind", str, description="only this kind of work, like render_pdf"),
]


class WorkSerializer(serializers.Serializer[Any]):
    deliveries = serializers.IntegerField(help_text="worked on, once in each step")
    items = serializers.IntegerField()
    usd = serializers.CharField(help_text="of work on deliveries, exact decimal")
    eur = serializers.CharField(allow_null=True, help_text="by the rate of each day; null when one is missing")
    usd_per_delivery = serializers.CharField(allow_null=True, help_text="to 28 digits")
    eur_per_delivery = serializers.CharField(allow_null=True)
    of_no_single_delivery_usd = serializers.CharField(help_text="sweeps, manifests, plain runs")
    sample = serializers.BooleanField()


class UnitRowSerializer(WorkSerializer):
    start = serializers.DateField(help_text="UTC day, or the Monday of a week")
    carrier = serializers.CharField(help_text="its code; empty: not split by it, or of none")
    kind = serializers.CharField(help_text="of work; empty: not split by it, or plain runs")


class NotAttributedSerializer(serializers.Serializer[Any]):
    outside_of_batches_usd = serializers.CharField(
        help_text="calls that no batch made, of functions that work on deliveries"
    )
    other_functions_usd = serializers.CharField(help_text="functions that work on no delivery")
    account_usd = serializers.CharField(help_text="volume discount and free tier; not above zero")
    unpriced_invocations = serializers.IntegerField()


class UnitCostsSerializer(serializers.Serializer[Any]):
    first = serializers.DateField()
    last = serializers.DateField(help_text="included")
    step = serializers.ChoiceField(choices=Step.choices)
    total = WorkSerializer()
    not_attributed = NotAttributedSerializer(allow_null=True, help_text="null with a filter: it belongs to no carrier")
    results = UnitRowSerializer(many=True)


class UnitCostView(APIView):
    """Cost per delivery by UTC day or week. Steps without data are left out."""

    @extend_schema(responses=UnitCostsSerializer, parameters=PARAMETERS, operation_id="costs_deliveries")
    def get(self, request: Request) -> Response:
        _refuse(request.query_params)
        asked, period, _by = page.asked_for(request.query_params, longest=page.ANY_LENGTH)
        if period.problem:
            raise serializers.ValidationError({"range": [str(period.problem)]})
        by = request.query_params.get("by", TOGETHER)
        found, carriers = work_of(asked, by), Carrier.objects.in_bulk()
        rows = [
            {
                "start": start, **_work(work),
                "carrier": page.code_of(key, carriers) or (asked.carrier.code if asked.carrier else ""),
                "kind": key[1] or asked.kind,
            }
            for (start, key), work in sorted(found.items(), key=lambda pair: (pair[0][0], str(pair[0][1])))
        ]  # fmt: skip
        whole = together(work_of(asked).values())
        besides = None if asked.filtered else _beside(beside_of(asked))
        answer = {"first": asked.first, "last": asked.last, "step": asked.step.value, "total": _work(whole)}
        return Response({**answer, "not_attributed": besides, "results": rows})


def _refuse(query: QueryDict) -> None:
    wrong: dict[str, list[str]] = {}
    if query.get("carrier") and not Carrier.objects.filter(code=query["carrier"]).exists():
        wrong["carrier"] = ["There is no carrier of this code."]
    for name, known in (("step", Step.values), ("by", [CARRIER, KIND])):
        if query.get(name) and query[name] not in known:
            wrong[name] = [f"One of {', '.join(known)}."]
    if wrong:
        raise serializers.ValidationError(wrong)


def _work(work: Work) -> dict[str, Any]:
    each = work.per_delivery
    return {
        "deliveries": work.deliveries, "items": work.items, "usd": plain(work.money.usd), "eur": plain(work.money.eur),
        "usd_per_delivery": plain(each.usd) if each else None, "eur_per_delivery": plain(each.eur) if each else None,
        "of_no_single_delivery_usd": plain(work.other.usd), "sample": work.sample,
    }  # fmt: skip


def _beside(found: Mapping[Any, Beside]) -> dict[str, Any]:
    whole = page.besides_together(found.values())
    return {
        "outside_of_batches_usd": plain(whole.outside.usd), "other_functions_usd": plain(whole.elsewhere.usd),
        "account_usd": plain(whole.account.usd), "unpriced_invocations": whole.unpriced,
    }  # fmt: skip
