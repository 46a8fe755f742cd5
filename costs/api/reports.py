"""Monthly reports over REST."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api.errors import ErrorAnswerSerializer
from core.api.strict import StrictSerializer, read
from costs.models import MonthlyReport
from costs.report.making import make_report
from costs.sums import utc_today
from costs.views.asked import month_in
from costs.views.reports import pdf_response


class ReportSerializer(serializers.ModelSerializer[MonthlyReport]):
    month = serializers.DateField(help_text="its first day")

    class Meta:
        model = MonthlyReport
        fields = ["id", "month", "pages", "bytes", "sha256", "made", "made_by_name", "mailed"]
        read_only_fields = fields


class ReportMakeSerializer(StrictSerializer):
    month = serializers.RegexField(r"^\d{4}-\d{2}$", help_text="2026-10; of the current month: so far")

    def validate_month(self, value: str) -> Any:
        month = month_in(value, utc_today())
        if f"{month:%Y-%m}" != value:
            raise serializers.ValidationError("No month, or one to come.", "bad_month")
        return month


class ReportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[MonthlyReport]):
    """Monthly cost reports as PDF, the latest first."""

    queryset = MonthlyReport.objects.all()
    serializer_class = ReportSerializer
    ordering = ["-month", "-id"]
    lookup_value_converter = "int"

    @extend_schema(
        request=ReportMakeSerializer,
        responses={201: ReportSerializer, 409: ErrorAnswerSerializer, 502: ErrorAnswerSerializer},
    )
    def create(self, request: Request) -> Response:
        """Make the report of a month, or make it anew. Waits for the function that prints: seconds."""
        said: dict[str, Any] = read(ReportMakeSerializer, request)
        report = make_report(said["month"], actor=request.user, source="api")
        return Response(ReportSerializer(report).data, status=201)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True)
    def pdf(self, request: Request, pk: int) -> FileResponse:
        """The report itself."""
        return pdf_response(self.get_object())
