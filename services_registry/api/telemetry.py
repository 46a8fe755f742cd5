"""What came in by the doors, and what was refused, over REST. Read only."""

from __future__ import annotations

import django_filters
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from services_registry.choices import Door
from services_registry.models import DoorHour, RejectedLine
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
