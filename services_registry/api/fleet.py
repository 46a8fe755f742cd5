"""The fleet over REST: its course, and its functions put together by owner or capability."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.timerange import TimeRange, time_range
from services_registry.api.functions import RANGES, SeriesSerializer, series_of
from services_registry.fleet import fleet_of
from services_registry.fleet_entries import entries_of
from services_registry.fleet_groups import BY, Group, groups_by


class FleetSeriesView(APIView):
    """What all functions did, by hour up to eight days, and by UTC day beyond or where hours are not known."""

    @extend_schema(responses=SeriesSerializer, parameters=RANGES)
    def get(self, request: Request) -> Response:
        return Response(series_of(fleet_of(range_of(request.query_params)).course))


class GroupSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="the owner or capability; empty: functions without one")
    functions = serializers.IntegerField()
    invocations = serializers.IntegerField()
    errors = serializers.IntegerField(  # type: ignore[assignment]  # a field of the answer, not the errors of input
        help_text="time-outs included"
    )
    timeouts = serializers.IntegerField()
    cold_starts = serializers.IntegerField()
    before_invocations = serializers.IntegerField(help_text="of the period of the same length before")
    cost = serializers.CharField(allow_null=True, help_text="estimated USD, exact decimal")
    before_cost = serializers.CharField(allow_null=True)


class FleetGroupsSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="not included")
    as_of = serializers.DateTimeField(help_text="when the sums were made")
    groups = GroupSerializer(many=True)


class FleetGroupsView(APIView):
    """The functions of the fleet by owner or capability, the most called first."""

    @extend_schema(
        responses=FleetGroupsSerializer,
        parameters=[OpenApiParameter("by", str, enum=list(BY), description="usual: owner"), *RANGES],
    )
    def get(self, request: Request) -> Response:
        period, by = range_of(request.query_params), request.query_params.get("by", "owner")
        if by not in BY:
            raise serializers.ValidationError({"by": [f"one of {', '.join(BY)}"]})
        entries = entries_of(period)
        groups = [_group(group) for group in groups_by(by, entries.rows, period)]
        return Response({"start": period.start, "end": period.end, "as_of": entries.as_of, "groups": groups})


def range_of(query: QueryDict) -> TimeRange:
    """Raises ValidationError where a page would show the usual range instead."""
    period = time_range(query, default="30d")
    if period.problem:
        raise serializers.ValidationError({"range": [str(period.problem)]})
    return period


def _group(group: Group) -> dict[str, Any]:
    shown = {name: getattr(group, name) for name in map(str, GroupSerializer().fields)}
    costs = {name: None if shown[name] is None else f"{shown[name]:f}" for name in ("cost", "before_cost")}
    return shown | costs
