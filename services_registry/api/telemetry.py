"""What came in by the doors, and what was refused, over REST. Read only."""

from __future__ import annotations

import django_filters
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from services_registry.choices import Door
from services_registry.models import DoorHour, MetricDay, RejectedLine
from services_registry.telemetry_page import RejectedLineFilter


class DoorHourSerializer(serializers.ModelSerializer[DoorHour]):
    class Meta:
        model = DoorHour
        fields = [
            "id", "door", "hour", "lines", "reports", "new", "known", "rejected", "last_seen", "timed", "lag_s",
            "most_lag_s",
        ]  # fmt: skip
        read_only_fields = fields


class DoorHourFilter(django_filters.FilterSet):
    door = django_filters.ChoiceFilter(choices=Door.choices)
    after = django_filters.IsoDateTimeFilter(field_name="hour", lookup_expr="gte", label="first hour")
    before = django_filters.IsoDateTimeFilter(field_name="hour", lookup_expr="lt", label="hour after the last")

    class Meta:
        model = DoorHour
        fields = ["door", "after", "before"]


class DoorHourViewSet(ReadOnlyModelViewSet[DoorHour]):
    """What came in by each door, hour by hour of the platform's clock, latest first."""

    queryset = DoorHour.objects.all()
    serializer_class = DoorHourSerializer
    filterset_class = DoorHourFilter
    ordering = ["-hour", "-id"]
    lookup_value_converter = "int"


class RejectedLineSerializer(serializers.ModelSerializer[RejectedLine]):
    class Meta:
        model = RejectedLine
        fields = ["id", "at", "door", "source", "event", "reason", "line"]
        read_only_fields = fields


class RejectedLineViewSet(ReadOnlyModelViewSet[RejectedLine]):
    """Lines that were refused instead of guessed at, latest first."""

    queryset = RejectedLine.objects.all()
    serializer_class = RejectedLineSerializer
    filterset_class = RejectedLineFilter
    ordering = ["-at", "-id"]
    lookup_value_converter = "int"


class MetricDaySerializer(serializers.ModelSerializer[MetricDay]):
    function_name = serializers.CharField(source="function.name", read_only=True)
    difference = serializers.SerializerMethodField(help_text="ours minus CloudWatch's; null: no line came in")

    class Meta:
        model = MetricDay
        fields = [
            "id", "function", "function_name", "day", "invocations", "errors", "throttles", "duration_ms",
            "duration_max_ms", "concurrency", "ours", "our_errors", "difference", "until",
        ]  # fmt: skip
        read_only_fields = fields

    def get_difference(self, row: MetricDay) -> int | None:
        return None if row.ours is None else row.ours - row.invocations


class MetricDayFilter(django_filters.FilterSet):
    after = django_filters.DateFilter(field_name="day", lookup_expr="gte", label="first day")
    before = django_filters.DateFilter(field_name="day", lookup_expr="lt", label="day after the last")

    class Meta:
        model = MetricDay
        fields = ["function", "after", "before"]


class MetricDayViewSet(ReadOnlyModelViewSet[MetricDay]):
    """What CloudWatch counted of each function on a UTC day, and what REPORT lines say of the same hours."""

    queryset = MetricDay.objects.select_related("function")
    serializer_class = MetricDaySerializer
    filterset_class = MetricDayFilter
    ordering = ["-day", "-id"]
    lookup_value_converter = "int"
