"""Stopping and restoring functions over REST: GET says what it would do, POST does it. Both need the permission."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from core.api.strict import StrictSerializer, read
from services_registry.guardrails.restore import preview_restore, restore_function
from services_registry.guardrails.stop import preview_stop, stop_function
from services_registry.models import Function, StopRecord
from services_registry.views.stops import STOP_PERMISSION


class MayStop(BasePermission):
    """Reading too: a preview asks AWS, and is for those who act on it."""

    message = "Stopping and restoring functions needs the ops lead role."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perm(STOP_PERMISSION))


class DeedSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=300, help_text="goes to the audit trail")


class StoppedSourceSerializer(serializers.Serializer[Any]):
    uuid = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # AWS's word; the base means where a value comes from
    before = serializers.CharField(help_text="its state before the stop")
    changed = serializers.BooleanField(help_text="we switched it off")
    restored = serializers.BooleanField()
    note = serializers.CharField(help_text="why it could not be switched")


class StopRecordSerializer(serializers.ModelSerializer[StopRecord]):
    function_name = serializers.CharField(source="function.name", read_only=True)
    mappings = StoppedSourceSerializer(many=True, read_only=True)
    problems = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = StopRecord
        fields = [
            "id", "function", "function_name", "state", "reason", "stopped_by_name", "began", "stopped", "quiet_at",
            "former_reserved", "reserved_changed", "reserved_restored", "mappings", "problems", "restore_reason",
            "restored_by_name", "restored",
        ]  # fmt: skip
        read_only_fields = fields


class ConsequenceSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="stable, for programs")
    severity = serializers.CharField(help_text="danger: calls are lost")
    text = serializers.CharField()


class RunningSerializer(serializers.Serializer[Any]):
    """Calls that run on: no API of AWS ends them."""

    at_once = serializers.IntegerField(
        allow_null=True, help_text="the largest of the three; null: no way says anything"
    )
    counted = serializers.IntegerField(
        allow_null=True, help_text="most at once in a minute of the last five, as CloudWatch says; null: no point"
    )
    estimated = serializers.IntegerField(
        allow_null=True, help_text="at once, from the running time of those that ended lately; null: none did"
    )
    ended = serializers.IntegerField(help_text="calls in that sample")
    window_s = serializers.IntegerField(help_text="seconds that the sample spans")
    ours = serializers.IntegerField(help_text="calls of our own batches that run now; exact")
    quiet_at = serializers.DateTimeField(help_text="when the last of them must be over")
    cost_usd = serializers.CharField(allow_null=True, help_text="what they still come to at most, exact decimal")


class EventSourceSerializer(serializers.Serializer[Any]):
    uuid = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    state = serializers.CharField()


class StopPreviewSerializer(serializers.Serializer[Any]):
    reserved_concurrency = serializers.IntegerField(allow_null=True, help_text="now; null: none reserved")
    sets_reserved = serializers.BooleanField(help_text="a stop would set it to 0")
    to_switch_off = EventSourceSerializer(many=True, help_text="event source mappings")
    off_already = EventSourceSerializer(many=True)
    running = RunningSerializer()
    consequences = ConsequenceSerializer(many=True, help_text="the gravest first")
    stop = StopRecordSerializer(allow_null=True, help_text="a stop that still stands, whole or in part")


class RestoreStepSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    now = serializers.CharField()
    will_be = serializers.CharField()
    changes = serializers.BooleanField()
    note = serializers.CharField()
    uuid = serializers.CharField(help_text="of the mapping; empty for the reserved concurrency")


class ElsewhereSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class RestorePreviewSerializer(serializers.Serializer[Any]):
    steps = RestoreStepSerializer(many=True)
    elsewhere = ElsewhereSerializer(many=True, help_text="what others changed in the function since the stop")
    stop = StopRecordSerializer()


class FunctionStopView(APIView):
    """Stop one function."""

    permission_classes = (MayStop,)

    @extend_schema(responses=StopPreviewSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What a stop would do now: what is lost, what runs on until when. Changes nothing."""
        preview = preview_stop(get_object_or_404(Function, pk=pk))
        cost = preview.running.cost_usd
        shown = {
            "reserved_concurrency": preview.live.reserved, "sets_reserved": preview.sets_reserved,
            "to_switch_off": preview.to_switch_off, "off_already": preview.off_already,
            "running": asdict(preview.running) | {
                "at_once": preview.running.at_once, "cost_usd": None if cost is None else f"{cost:f}",
            },
            "consequences": [asdict(one) for one in preview.consequences], "stop": preview.record,
        }  # fmt: skip
        return Response(StopPreviewSerializer(shown).data)

    @extend_schema(request=DeedSerializer, responses=StopRecordSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Set the reserved concurrency to 0 and switch the event sources off. Repeating it does what is missing."""
        function = get_object_or_404(Function, pk=pk)
        row = stop_function(function, actor=request.user, source="api", **read(DeedSerializer, request))
        return Response(StopRecordSerializer(row).data)


class FunctionRestoreView(APIView):
    """Restore one function that was stopped from here."""

    permission_classes = (MayStop,)

    @extend_schema(responses=RestorePreviewSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What a restore would do: what is now, what will be, what others changed meanwhile. Changes nothing."""
        preview = preview_restore(get_object_or_404(Function, pk=pk))
        shown = {
            "steps": [asdict(step) for step in preview.steps],
            "elsewhere": [asdict(change) for change in preview.elsewhere], "stop": preview.record,
        }  # fmt: skip
        return Response(RestorePreviewSerializer(shown).data)

    @extend_schema(request=DeedSerializer, responses=StopRecordSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Give back what the stop changed, and nothing else. Repeating it does what is missing."""
        function = get_object_or_404(Function, pk=pk)
        row = restore_function(function, actor=request.user, source="api", **read(DeedSerializer, request))
        return Response(StopRecordSerializer(row).data)


class StopRecordViewSet(ReadOnlyModelViewSet[StopRecord]):
    """Every stop there was, latest first."""

    queryset = StopRecord.objects.select_related("function")
    serializer_class = StopRecordSerializer
    ordering = ["-began", "-id"]
    lookup_value_converter = "int"
