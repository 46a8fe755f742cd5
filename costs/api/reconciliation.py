"""Reconciliation over REST. Amounts are exact decimals in text: billed = estimated + reasons + rest."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from costs.imports.shapes import plain
from costs.reconciliation.page import Line, reconciled

PARAMETERS = [
    OpenApiParameter("month", str, description="2026-10; usual: the latest whole month that was reckoned"),
    OpenApiParameter("currency", str, description="usual: USD where there is such a bill"),
]


class ReconciliationRowSerializer(serializers.Serializer[Any]):
    function = serializers.IntegerField(allow_null=True)
    name = serializers.CharField(help_text="empty: charges that no function can have a share in")
    estimated = serializers.CharField()
    billed = serializers.CharField()
    effective = serializers.CharField(allow_null=True)
    reasons = serializers.DictField(child=serializers.CharField())
    rest = serializers.CharField(help_text="what no reason explains")
    allocated = serializers.CharField(help_text="how much of billed was shared out, not read from the bill")
    days_silent = serializers.IntegerField(help_text="billed days without a report")


class ReconciliationSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    currency = serializers.CharField()
    estimated = serializers.CharField()
    billed = serializers.CharField()
    reasons = serializers.DictField(child=serializers.CharField())
    rest = serializers.CharField()
    unexplained = serializers.CharField(help_text="rests added up without their signs")
    grown = serializers.BooleanField(help_text="much more is unexplained than in the month before")
    results = ReconciliationRowSerializer(many=True)


class ReconciliationView(APIView):
    """Estimated against billed by function, the least explained first."""

    @extend_schema(responses=ReconciliationSerializer, parameters=PARAMETERS, operation_id="costs_reconciliation")
    def get(self, request: Request) -> Response:
        found = reconciled(request.query_params)
        if found.month is None:
            raise NotFound("Nothing was reckoned yet: no bill with Lambda in it was taken in.")
        answer = {
            "month": f"{found.month:%Y-%m}", "currency": found.currency, "estimated": plain(found.estimated),
            "billed": plain(found.billed), "reasons": {key.value: plain(value) for key, value in found.reasons.items()},
            "rest": plain(found.rest), "unexplained": plain(found.unexplained), "grown": found.grown,
            "results": [_written(line) for line in found.lines],
        }  # fmt: skip
        return Response(answer)


def _written(line: Line) -> dict[str, Any]:
    row = line.row
    return {
        "function": row.function_id, "name": row.name, "estimated": plain(row.estimated), "billed": plain(row.billed),
        "effective": None if row.effective is None else plain(row.effective), "reasons": row.reasons,
        "rest": plain(row.rest), "allocated": plain(row.allocated), "days_silent": row.days_silent,
    }  # fmt: skip
