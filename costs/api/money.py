"""Overview, budgets and anomalies over REST. Amounts are exact decimals in text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api.errors import ErrorAnswerSerializer
from core.api.strict import StrictSerializer, read
from costs.anomalies import services as anomaly_services
from costs.budgets import services
from costs.budgets.choices import Basis, Currency, Scope
from costs.budgets.spending import BudgetStanding
from costs.budgets.standing import standings
from costs.forecast import Forecast
from costs.models import Budget, CostAnomaly
from costs.overview import GROUPS, Overview, Part, overview
from costs.sums import utc_today
from costs.views.asked import month_in

MONTH = OpenApiParameter("month", str, description="2026-11; usual: the current one (UTC)")
CURRENCY = OpenApiParameter("currency", str, enum=Currency.values, description="usual: USD")


def text_of(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


class ForecastSerializer(serializers.Serializer[Any]):
    spent = serializers.CharField()
    total = serializers.CharField(help_text="what the whole month will come to")
    low = serializers.CharField(allow_null=True, help_text="eight of ten months should end between low and high")
    high = serializers.CharField(allow_null=True)
    earlier_forecasts = serializers.IntegerField(help_text="how many the interval rests on")
    median_error = serializers.FloatField(allow_null=True, help_text="of those, without sign: 0.05 is 5 %")


class PartSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    spent = serializers.CharField(allow_null=True, help_text="null: an exchange rate is missing")
    whole_days = serializers.CharField(allow_null=True, help_text="without the day that is not over")
    same_days_month_before = serializers.CharField(allow_null=True)


class BacktestSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    forecast = serializers.CharField(help_text="made on the same day of that month")
    actual = serializers.CharField()
    error = serializers.FloatField(allow_null=True)


class OverviewSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    until = serializers.DateField(help_text="the last day in it, UTC")
    currency = serializers.CharField()
    basis = serializers.CharField(help_text="estimated")
    as_of = serializers.DateTimeField(allow_null=True)
    sample = serializers.BooleanField()
    unpriced_invocations = serializers.IntegerField()
    total = PartSerializer()
    forecast = ForecastSerializer(allow_null=True)
    earlier_forecasts = BacktestSerializer(many=True)
    by_capability = PartSerializer(many=True)
    by_owner = PartSerializer(many=True)
    by_account = PartSerializer(many=True)


class CostOverviewView(APIView):
    """One month: spent, forecast with its interval and past errors, the month before, and parts that add up to the whole."""

    @extend_schema(responses=OverviewSerializer, parameters=[MONTH, CURRENCY], operation_id="costs_overview")
    def get(self, request: Request) -> Response:
        today, currency = utc_today(), request.query_params.get("currency", Currency.USD)
        if currency not in Currency.values:
            raise serializers.ValidationError({"currency": [f"Choose from: {', '.join(Currency.values)}."]})
        return Response(written(overview(month_in(request.query_params.get("month", ""), today), today, currency)))


def written(shown: Overview) -> dict[str, Any]:
    groups = {
        f"by_{name}": [_part(key, part) for key, part in sorted(shown.groups.get(name, {}).items())] for name in GROUPS
    }
    past = [
        {
            "month": f"{one.month:%Y-%m}",
            "forecast": text_of(one.forecast),
            "actual": text_of(one.actual),
            "error": one.error,
        }
        for one in shown.past
    ]
    return {
        "month": f"{shown.month:%Y-%m}", "until": shown.until, "currency": shown.currency, "basis": "estimated",
        "as_of": shown.as_of, "sample": shown.sample, "unpriced_invocations": shown.unpriced,
        "total": _part("", shown.total), "forecast": _forecast(shown.forecast), "earlier_forecasts": past, **groups,
    }  # fmt: skip


def _part(key: str, part: Part) -> dict[str, Any]:
    return {
        "key": key, "spent": text_of(part.spent), "whole_days": text_of(part.whole),
        "same_days_month_before": text_of(part.before),
    }  # fmt: skip


def _forecast(ahead: Forecast | None) -> dict[str, Any] | None:
    if ahead is None:
        return None
    return {
        "spent": text_of(ahead.spent), "total": text_of(ahead.total), "low": text_of(ahead.low),
        "high": text_of(ahead.high), "earlier_forecasts": ahead.tries, "median_error": ahead.error,
    }  # fmt: skip


class BudgetListSerializer(serializers.ListSerializer[Any]):
    """Asks once how all of a page stand."""

    def to_representation(self, data: Any) -> Any:
        rows = list(data)
        child: Any = self.child
        child.known = {one.budget.pk: one for one in standings(rows, utc_today())}
        return super().to_representation(rows)


class BudgetSerializer(serializers.ModelSerializer[Budget]):
    thresholds = serializers.ListField(child=serializers.IntegerField())
    people = serializers.ListField(child=serializers.CharField())
    standing = serializers.SerializerMethodField()
    spent = serializers.SerializerMethodField()
    forecast = serializers.SerializerMethodField()

    class Meta:
        model = Budget
        list_serializer_class = BudgetListSerializer
        fields = [
            "id", "name", "scope", "key", "basis", "amount", "currency", "thresholds", "tell_forecast", "people", "active",
            "standing", "spent", "forecast", "created", "created_by_name",
        ]  # fmt: skip
        read_only_fields = fields

    def _of(self, budget: Budget) -> BudgetStanding:
        known: dict[int, BudgetStanding] = getattr(self, "known", {})
        return known[budget.pk] if budget.pk in known else standings([budget], utc_today())[0]

    def get_standing(self, budget: Budget) -> str:
        return str(self._of(budget).standing)

    def get_spent(self, budget: Budget) -> str | None:
        return text_of(self._of(budget).spent)

    @extend_schema_field(ForecastSerializer(allow_null=True))
    def get_forecast(self, budget: Budget) -> dict[str, Any] | None:
        return _forecast(self._of(budget).forecast)


class BudgetWriteSerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)
    scope = serializers.ChoiceField(choices=Scope.choices)
    key = serializers.CharField(
        max_length=120, required=False, allow_blank=True, default="", help_text="empty for `all`"
    )
    basis = serializers.ChoiceField(choices=Basis.choices, default=Basis.ESTIMATED, help_text="which costs count")
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=Decimal(1), help_text="a month")
    currency = serializers.ChoiceField(choices=Currency.choices, default=Currency.USD)
    thresholds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=1000), default=lambda: [50, 80, 100], help_text="per cent"
    )
    tell_forecast = serializers.BooleanField(default=True)
    people = serializers.ListField(
        child=serializers.CharField(max_length=150), default=list, help_text="user names; empty: all administrators"
    )
    active = serializers.BooleanField(default=True)


class BudgetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Budget]):
    """Budgets with how they stand this month. Administrators write."""

    queryset = Budget.objects.all()
    serializer_class = BudgetSerializer
    write_permission = "core.administer"
    ordering = ["name", "id"]
    lookup_value_converter = "int"

    @extend_schema(
        request=BudgetWriteSerializer, responses={201: BudgetSerializer, 409: ErrorAnswerSerializer},
        examples=[
            OpenApiExample(
                "A budget", request_only=True,
                value={"name": "Labels", "scope": "capability", "key": "labels", "amount": "900.00", "currency": "EUR"},
            )
        ],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """A new budget; there is one for each scope and currency."""
        made = services.create_budget(actor=request.user, source="api", **read(BudgetWriteSerializer, request))
        return Response(BudgetSerializer(made).data, status=201)

    @extend_schema(
        request=BudgetWriteSerializer(partial=True), responses={200: BudgetSerializer, 409: ErrorAnswerSerializer}
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        said = read(BudgetWriteSerializer, request, partial=True)
        changed = services.change_budget(self.get_object(), actor=request.user, source="api", **said)
        return Response(BudgetSerializer(changed).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Delete a budget and what was told of it."""
        services.delete_budget(self.get_object(), actor=request.user, source="api")
        return Response(status=204)


class AnomalyPartSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(
        help_text="calls, failed, timeouts, cold_starts, duration, memory, price; of bills: a usage type"
    )
    amount = serializers.CharField()


class AnomalySerializer(serializers.ModelSerializer[CostAnomaly]):
    function_name = serializers.CharField(source="function.name", default=None)
    parts = AnomalyPartSerializer(many=True, help_text="they add up to `delta` to the last digit")
    actual = serializers.SerializerMethodField()
    expected = serializers.SerializerMethodField()
    low = serializers.SerializerMethodField()
    high = serializers.SerializerMethodField()
    delta = serializers.SerializerMethodField()

    class Meta:
        model = CostAnomaly
        fields = [
            "id", "day", "basis", "function", "function_name", "service", "currency", "actual", "expected", "low", "high",
            "delta", "days", "parts", "facts", "revision", "state", "reason", "closed_by_name", "sample", "found",
        ]  # fmt: skip
        read_only_fields = fields

    def get_actual(self, row: CostAnomaly) -> str:
        return f"{row.actual.normalize():f}"

    def get_expected(self, row: CostAnomaly) -> str:
        return f"{row.expected.normalize():f}"

    def get_low(self, row: CostAnomaly) -> str:
        return f"{row.low.normalize():f}"

    def get_high(self, row: CostAnomaly) -> str:
        return f"{row.high.normalize():f}"

    def get_delta(self, row: CostAnomaly) -> str:
        return f"{row.delta.normalize():f}"


class DismissSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=300)


class AnomalyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[CostAnomaly]):
    """Days that cost far from the usual, the latest first."""

    queryset: QuerySet[CostAnomaly] = CostAnomaly.objects.select_related("function")
    serializer_class = AnomalySerializer
    filterset_fields = ["state", "day", "function", "basis"]
    ordering = ["-day", "-delta", "-id"]
    lookup_value_converter = "int"

    @extend_schema(request=DismissSerializer, responses={200: AnomalySerializer, 409: ErrorAnswerSerializer})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: int) -> Response:
        """Mark as explained, with the reason."""
        row = self.get_object()
        anomaly_services.dismiss(row, actor=request.user, source="api", **read(DismissSerializer, request))
        row.refresh_from_db()
        return Response(AnomalySerializer(row).data)

    @extend_schema(request=None, responses={200: AnomalySerializer, 409: ErrorAnswerSerializer})
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """Take that back."""
        row = self.get_object()
        anomaly_services.reopen(row, actor=request.user, source="api")
        row.refresh_from_db()
        return Response(AnomalySerializer(row).data)
