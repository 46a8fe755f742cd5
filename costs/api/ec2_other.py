"""EC2-Other over REST: one month explained. Amounts are exact decimals in text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from costs.ec2_other.assumptions import AssumptionsForm
from costs.ec2_other.choices import Basis
from costs.ec2_other.page import Explained, explain
from costs.imports.shapes import plain

PARAMETERS = [
    OpenApiParameter("month", str, description="2026-10; usual: the latest whole month that a bill tells of"),
    OpenApiParameter("currency", str, description="usual: the one with most money in it"),
    *(OpenApiParameter(name, int, description=f"assumption: {field.label}") for name, field in
      AssumptionsForm.base_fields.items()),
]  # fmt: skip


class UsageKindSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    name = serializers.CharField()
    billed = serializers.CharField()
    month_before = serializers.CharField()
    measured = serializers.CharField()
    allocated = serializers.CharField()
    not_attributed = serializers.CharField()


class Ec2FunctionSerializer(serializers.Serializer[Any]):
    function = serializers.IntegerField()
    name = serializers.CharField()
    measured = serializers.CharField()
    allocated = serializers.CharField()
    calls = serializers.IntegerField()
    cold_starts = serializers.IntegerField()
    payload_bytes = serializers.IntegerField(allow_null=True, help_text="measured average of a call; null: assumed")
    estimated_bytes = serializers.IntegerField()
    kinds = serializers.DictField(child=serializers.CharField())


class WaySerializer(serializers.Serializer[Any]):
    way = serializers.CharField()
    title = serializers.CharField()
    saving = serializers.CharField(allow_null=True, help_text="of the month; negative: it would cost more")


class UnmappedUsageSerializer(serializers.Serializer[Any]):
    usage_type = serializers.CharField()
    service = serializers.CharField()
    billed = serializers.CharField()


class Ec2OtherSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    currency = serializers.CharField()
    billed = serializers.CharField()
    measured = serializers.CharField()
    allocated = serializers.CharField()
    not_attributed = serializers.CharField()
    sample = serializers.BooleanField()
    assumptions = serializers.DictField(child=serializers.IntegerField())
    kinds = UsageKindSerializer(many=True)
    functions = Ec2FunctionSerializer(many=True)
    ways_out = WaySerializer(many=True)
    not_mapped = UnmappedUsageSerializer(many=True)
    elsewhere = serializers.DictField(
        child=serializers.CharField(), help_text="what is looked for here but is not in it"
    )


class Ec2OtherView(APIView):
    """EC2-Other of one month: by kind, split to functions, with what would have saved how much."""

    @extend_schema(responses=Ec2OtherSerializer, parameters=PARAMETERS, operation_id="costs_ec2_other")
    def get(self, request: Request) -> Response:
        found = explain(request.query_params)
        if found is None:
            raise NotFound("No bill was taken in yet.")
        return Response(written(found))


def written(found: Explained) -> dict[str, Any]:
    names = AssumptionsForm.base_fields
    return {
        "month": f"{found.month:%Y-%m}", "currency": found.currency, "billed": plain(found.billed),
        **{basis.value: plain(found.part(basis)) for basis in Basis if basis != Basis.BILLED}, "sample": found.sample,
        "assumptions": {name: getattr(found.assumed, name) for name in names},
        "kinds": [
            {"kind": row.kind.value, "name": row.kind.label, "billed": plain(row.billed),
             "month_before": plain(row.before), "measured": plain(row.measured), "allocated": plain(row.allocated),
             "not_attributed": plain(row.rest)}
            for row in found.kinds()
        ],
        "functions": [
            {"function": row.function.pk, "name": row.function.name, "measured": plain(row.measured),
             "allocated": plain(row.allocated), "calls": row.use.calls, "cold_starts": row.use.cold_starts,
             "payload_bytes": row.use.payload_bytes, "estimated_bytes": row.bytes,
             "kinds": {kind.value: plain(amount) for kind, amount in row.kinds.items()}}
            for row in found.functions()
        ],
        "ways_out": [{"way": way.name, "title": way.title, "saving": _text(way.saving)} for way in found.ways],
        "not_mapped": [
            {"usage_type": row.usage_type, "service": row.service, "billed": plain(row.cost)}
            for row in found.unmapped()
        ],
        "elsewhere": {row.kind.value: plain(row.billed) for row in found.elsewhere()},
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
