"""What starting a batch would mean, over REST: the same plan as on the page, and nothing is started."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from services_registry.api.batch_serializers import StartSerializer
from services_registry.batches.plan import Plan, plan_batch, plan_run
from services_registry.choices import Severity


class CautionSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="stable, for programs")
    severity = serializers.ChoiceField(choices=Severity.choices)
    text = serializers.CharField()


class ReasonedSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="binding, time, bytes, asked or plain")
    text = serializers.CharField()


class BasisSerializer(serializers.Serializer[Any]):
    source = serializers.CharField(  # type: ignore[assignment]  # the plan's word; the base means another source
        help_text="chunks, telemetry or none"
    )
    samples = serializers.IntegerField(help_text="how many chunks, or invocations")
    per = serializers.CharField(help_text="item or invocation")
    text = serializers.CharField()


class PlanSerializer(serializers.Serializer[Any]):
    """Sizes in bytes, times in seconds unless their name says milliseconds; money exact; null: not known."""

    capability = serializers.CharField(help_text="empty for a plain run")
    function = serializers.CharField()
    region = serializers.CharField()
    qualifier = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField(), help_text="the first items")
    items = serializers.IntegerField()
    chunks = serializers.IntegerField()
    chunk_size = serializers.IntegerField()
    chunk_size_why = ReasonedSerializer()
    concurrency = serializers.IntegerField(help_text="what the batch may have at once")
    at_once = serializers.IntegerField(help_text="what it gets under all limits that hold now")
    free_concurrency = serializers.IntegerField(allow_null=True)
    request_bytes = serializers.IntegerField()
    chunk_bytes = serializers.IntegerField()
    largest_chunk_bytes = serializers.IntegerField()
    sync_limit_bytes = serializers.IntegerField()
    async_limit_bytes = serializers.IntegerField()
    handoff = serializers.ChoiceField(choices=["inline", "object_storage"])
    handoff_why = serializers.CharField()
    item_p50_ms = serializers.FloatField(allow_null=True)
    item_p95_ms = serializers.FloatField(allow_null=True)
    chunk_seconds = serializers.FloatField(allow_null=True, help_text="a full chunk at p50")
    chunk_seconds_p95 = serializers.FloatField(allow_null=True)
    timeout_s = serializers.IntegerField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True, help_text="the whole batch")
    basis = BasisSerializer()
    usd = serializers.CharField(allow_null=True, help_text="a decimal as text, not rounded")
    eur = serializers.CharField(allow_null=True)
    worst_usd = serializers.CharField(allow_null=True, help_text="every invocation runs to the time-out")
    worst_eur = serializers.CharField(allow_null=True)
    worst_sends = serializers.IntegerField(help_text="how often one chunk may be sent")
    worst_invocations = serializers.IntegerField(help_text="with those in halves after a time-out")
    worst_async_usd = serializers.CharField(allow_null=True, help_text="the same sent asynchronously")
    worst_async_eur = serializers.CharField(allow_null=True)
    worst_async_sends = serializers.IntegerField()
    warnings = CautionSerializer(many=True)


class BatchPlanView(APIView):
    """Plan a batch without starting it."""

    @extend_schema(request=StartSerializer, responses=PlanSerializer, operation_id="batches_plan")
    def post(self, request: Request) -> Response:
        """Takes the same body as starting a batch."""
        asked = StartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(_plan(asked.validated_data).as_json())


def _plan(asked: dict[str, Any]) -> Plan:
    if "capability" in asked:
        return plan_batch(
            asked["capability"],
            asked["selection"],
            context=asked.get("context"),
            chunk_size=asked.get("chunk_size"),
            concurrency=asked.get("concurrency"),
        )
    payloads = asked["payloads"] if "payloads" in asked else [asked["payload"]]
    return plan_run(
        asked["function"],
        payloads,
        region=asked["region"],
        chunked=asked.get("chunked", False),
        repeatable=asked.get("repeatable", False),
        chunk_size=asked.get("chunk_size"),
        concurrency=asked.get("concurrency"),
    )
