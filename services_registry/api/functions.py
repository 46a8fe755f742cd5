"""Functions, their courses and invocations over REST. Read only: AWS is the source."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from core.timerange import PRESETS, time_range
from services_registry.courses import Course
from services_registry.function_filters import FunctionFilter
from services_registry.models import AwsAccount, Function, FunctionRevision, InvocationReport, SyncRun
from services_registry.revision_filters import RevisionFilter
from services_registry.selectors import course_of

RANGES = [
    OpenApiParameter("range", str, enum=[*PRESETS, "custom"], description="custom with `from` and `to`; usual: 30d"),
    OpenApiParameter("from", str, description="first day, 2026-11-01, or moment, 2026-11-01T10:00"),
    OpenApiParameter("to", str, description="last day, included, or moment, not included"),
]


class FunctionSerializer(serializers.ModelSerializer[Function]):
    class Meta:
        model = Function
        fields = [
            "id", "name", "arn", "account", "region", "description", "runtime", "handler", "architecture",
            "package_type", "memory_mb", "timeout_s", "ephemeral_mb", "code_bytes", "code_sha256", "last_modified", "state",
            "log_group", "logging", "in_vpc", "vpc", "event_sources", "aliases", "async_settings", "provisioned",
            "callers", "dead_letter", "kind", "reserved_concurrency", "layers", "environment_names", "tags", "owner",
            "capability", "runbook", "notes", "sample", "first_seen", "synced", "gone",
        ]  # fmt: skip
        read_only_fields = fields


class PercentilesSerializer(serializers.Serializer[Any]):
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)


class PointSerializer(serializers.Serializer[Any]):
    """One hour or UTC day. Steps without data are left out, which is not zero."""

    at = serializers.CharField(help_text="start of the hour, or the day")
    invocations = serializers.IntegerField()
    errors = serializers.IntegerField(  # type: ignore[assignment]  # a field of the answer, not the errors of input
        help_text="time-outs included"
    )
    timeouts = serializers.IntegerField()
    cold_starts = serializers.IntegerField()
    init_ms = serializers.FloatField(help_text="sum over the cold starts")
    billed_ms = serializers.IntegerField(help_text="sum; by the length of the step: how many ran at once on average")
    max_memory_mb = serializers.IntegerField()
    cost = serializers.CharField(allow_null=True, help_text="estimated USD, exact decimal")
    sample = serializers.BooleanField(help_text="sample data, not the company's own")
    percentiles = PercentilesSerializer(help_text="duration in ms")


class SeriesSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="not included")
    step = serializers.ChoiceField(choices=["hour", "day"])
    points = PointSerializer(many=True)


class FunctionViewSet(ReadOnlyModelViewSet[Function]):
    """The registry, with the same filters as its page."""

    queryset = Function.objects.all()
    serializer_class = FunctionSerializer
    filterset_class = FunctionFilter
    ordering = ["name"]
    lookup_value_converter = "int"

    @extend_schema(responses=SeriesSerializer, parameters=RANGES)
    @action(detail=True, methods=["get"], filterset_class=None)
    def series(self, request: Request, pk: Any = None) -> Response:
        """What the function did, by hour up to eight days, and by day beyond or where hours are not known."""
        period = time_range(request.query_params, default="30d")
        if period.problem:
            raise serializers.ValidationError({"range": [str(period.problem)]})
        return Response(series_of(course_of(self.get_object(), period)))


def series_of(course: Course) -> dict[str, Any]:
    """A course as `SeriesSerializer` describes it."""
    points = [_point(asdict(point)) for point in course.points.values()]
    return {"start": course.period.start, "end": course.period.end, "step": course.step, "points": points}


def _point(point: dict[str, Any]) -> dict[str, Any]:
    cost = point["cost"]
    return point | {"at": point["at"].isoformat(), "cost": None if cost is None else f"{cost:f}"}


class RevisionSerializer(serializers.ModelSerializer[FunctionRevision]):
    function_name = serializers.CharField(source="function.name", read_only=True)

    class Meta:
        model = FunctionRevision
        fields = ["id", "function", "function_name", "seen", "changed", "by", "changes"]
        read_only_fields = fields


class RevisionViewSet(ReadOnlyModelViewSet[FunctionRevision]):
    """Changes of functions, latest first; with the filters of the page."""

    queryset = FunctionRevision.objects.select_related("function")
    serializer_class = RevisionSerializer
    filterset_class = RevisionFilter
    ordering = ["-seen", "-id"]
    lookup_value_converter = "int"


class SyncRunSerializer(serializers.ModelSerializer[SyncRun]):
    account = serializers.SlugRelatedField[AwsAccount](slug_field="name", read_only=True)

    class Meta:
        model = SyncRun
        fields = [
            "id", "account", "region", "full", "started", "finished", "seen", "created", "changed", "unchanged", "gone",
            "failed", "failed_count", "problem", "trail_problem",
        ]  # fmt: skip
        read_only_fields = fields


class SyncRunViewSet(ReadOnlyModelViewSet[SyncRun]):
    """What came of each look into an account and region, latest first."""

    queryset = SyncRun.objects.select_related("account")
    serializer_class = SyncRunSerializer
    ordering = ["-started", "-id"]
    lookup_value_converter = "int"


class InvocationSerializer(serializers.ModelSerializer[InvocationReport]):
    function_name = serializers.CharField(source="function.name", read_only=True)

    class Meta:
        model = InvocationReport
        fields = [
            "id", "function", "function_name", "request_id", "at", "duration_ms", "billed_ms", "memory_mb",
            "max_memory_mb", "init_ms", "restore_ms", "status", "error_type", "door", "received",
        ]  # fmt: skip
        read_only_fields = fields


class InvocationFilter(django_filters.FilterSet):
    function = django_filters.NumberFilter(field_name="function_id", label="id of the function")
    status = django_filters.ChoiceFilter(choices=[(name, name) for name in ("success", "error", "timeout", "failure")])

    class Meta:
        model = InvocationReport
        fields = ["function", "status"]


class InvocationViewSet(ReadOnlyModelViewSet[InvocationReport]):
    """Single invocations as their REPORT lines state them, latest first."""

    queryset = InvocationReport.objects.select_related("function")
    serializer_class = InvocationSerializer
    filterset_class = InvocationFilter
    ordering = ["-at", "-id"]
    lookup_value_converter = "int"
