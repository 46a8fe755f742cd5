"""Findings over REST: what the rules found, with the filters of the page; people and tools put them off."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from core.api.strict import StrictSerializer, read
from services_registry.finding_filters import FindingFilter
from services_registry.guardrails.rule import rules
from services_registry.guardrails.snoozing import snooze, unsnooze
from services_registry.models import Finding


class FindingSerializer(serializers.ModelSerializer[Finding]):
    function_name = serializers.CharField(source="function.name", read_only=True)
    owner = serializers.CharField(source="function.owner", read_only=True)
    title = serializers.SerializerMethodField(help_text="of the rule")
    sentence = serializers.SerializerMethodField(help_text="what is wrong, with its numbers")
    money_usd = serializers.SerializerMethodField(
        help_text="estimated USD a month at stake, exact decimal; null: not about money, or not known"
    )

    class Meta:
        model = Finding
        fields = [
            "id", "rule", "title", "sentence", "function", "function_name", "owner", "state", "severity", "measure",
            "money_usd", "evidence", "sample", "opened", "last_seen", "closed", "reopened", "snoozed_until",
            "snooze_reason", "snoozed_by_name",
        ]  # fmt: skip
        read_only_fields = fields

    def get_title(self, row: Finding) -> str:
        return str(rules()[row.rule].title)

    def get_sentence(self, row: Finding) -> str:
        return rules()[row.rule].sentence(row.evidence)

    def get_money_usd(self, row: Finding) -> str | None:
        return None if row.money_usd is None else f"{row.money_usd.normalize():f}"


class SnoozeSerializer(StrictSerializer):
    until = serializers.DateTimeField(help_text="within a year")
    reason = serializers.CharField(max_length=300)


class FindingViewSet(ReadOnlyModelViewSet[Finding]):
    """Findings of the rules, the most money at stake first."""

    queryset = Finding.objects.select_related("function")
    serializer_class = FindingSerializer
    filterset_class = FindingFilter
    ordering = ["-money_usd", "-id"]
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Finding]:
        rows: QuerySet[Finding] = super().get_queryset()
        return rows.filter(rule__in=rules())  # a rule that was taken out has nobody to speak for it

    @extend_schema(request=SnoozeSerializer, responses=FindingSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def snooze(self, request: Request, pk: Any = None) -> Response:
        """Put it off. It comes back by itself: at that time, or earlier when it gets markedly worse."""
        asked = read(SnoozeSerializer, request)
        row = snooze(self.get_object(), actor=request.user, source="api", **asked)
        return Response(FindingSerializer(row).data)

    @extend_schema(request=None, responses=FindingSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def unsnooze(self, request: Request, pk: Any = None) -> Response:
        """Open it again now. Repeating it changes nothing."""
        return Response(FindingSerializer(unsnooze(self.get_object(), actor=request.user, source="api")).data)
