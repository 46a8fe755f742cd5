"""Our own calls to AWS over REST: how often, what by, what they cost. Read only."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from core.aws_calls.models import AwsCallDay, AwsCallPrice
from core.aws_calls.spending import pace, price_of, units_of


class AwsCallDaySerializer(serializers.ModelSerializer[AwsCallDay]):
    usd = serializers.SerializerMethodField(help_text="exact; 0 for operations that are free")

    class Meta:
        model = AwsCallDay
        fields = ["id", "day", "service", "operation", "calls", "units", "usd"]
        read_only_fields = fields

    @cached_property
    def _prices(self) -> list[AwsCallPrice]:
        """Read once for all rows of an answer."""
        return list(AwsCallPrice.objects.order_by("valid_from"))

    def get_usd(self, row: AwsCallDay) -> str:
        price = price_of(row, self._prices)
        return str(Decimal(0) if price is None else (units_of(row, price) * price.usd).normalize())


class AwsCallFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no type information
    after = django_filters.DateFilter(field_name="day", lookup_expr="gte", label="first day")
    before = django_filters.DateFilter(field_name="day", lookup_expr="lt", label="day after the last")

    class Meta:
        model = AwsCallDay
        fields = ["service", "operation", "after", "before"]


class AwsCallBudgetSerializer(serializers.Serializer[Any]):
    monthly_usd = serializers.DecimalField(max_digits=10, decimal_places=2)
    used_usd = serializers.DecimalField(max_digits=30, decimal_places=12, help_text="since the first of the month, UTC")
    factor = serializers.IntegerField(
        allow_null=True, help_text="times its usual interval that paid polling waits; null: it rests until next month"
    )


class AwsCallViewSet(ReadOnlyModelViewSet[AwsCallDay]):
    """Requests to AWS by UTC day, service and operation, latest first."""

    queryset = AwsCallDay.objects.all()
    serializer_class = AwsCallDaySerializer
    filterset_class = AwsCallFilter
    ordering = ["-day", "-id"]
    lookup_value_converter = "int"

    @extend_schema(responses=AwsCallBudgetSerializer)
    @action(detail=False, pagination_class=None, filter_backends=[])
    def budget(self, request: Request) -> Response:
        """What calls may cost this month, what they cost so far, and how much slower polling is for it."""
        now = pace()
        facts = {"monthly_usd": now.budget, "used_usd": now.used, "factor": now.factor}
        return Response(AwsCallBudgetSerializer(facts).data)
