"""What comes in over REST: rows in bulk, files as import runs, and carriers' webhooks."""

from __future__ import annotations

import time
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import RefusedError
from shipments import events
from shipments.api import bodies, examples
from shipments.api.intake_serializers import (
    BulkAnswerSerializer,
    BulkRowSerializer,
    HookAnswerSerializer,
    HookBodySerializer,
    ImportFileSerializer,
    ImportRunSerializer,
)
from shipments.deliveries import runs
from shipments.deliveries.bulk import MOST_ROWS, counts_of, take_rows
from shipments.deliveries.reading import UnreadableFileError
from shipments.deliveries.sample_of import propose
from shipments.events.signing import SIGNATURE_HEADER, TIME_HEADER, BadSignatureError, check
from shipments.models import CarrierHook, ImportRun
from shipments.views.imports import refused_rows

MOST_HOOK_BYTES = 2**20


class BulkView(APIView):
    """Up to 10,000 deliveries at once."""

    parser_classes = [bodies.RawParser]

    @extend_schema(
        operation_id="shipments_bulk", responses=BulkAnswerSerializer, examples=[examples.BULK],
        request={"application/json": BulkRowSerializer(many=True), "application/x-ndjson": OpenApiTypes.STR},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Create or update deliveries by carrier and tracking number: a JSON array or NDJSON, also packed with gzip.

        Every row has its outcome, in the order of the rows; refused ones do not hinder the others. What a row does not
        state stays as it is. The same request again changes nothing.
        """
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        rows = bodies.rows_of(bodies.unpacked(_stream_of(request), encoding))
        if len(rows) > MOST_ROWS:
            raise bodies.TooLargeError(f"{len(rows):,} rows; at most {MOST_ROWS:,} at once.", code="too_many_rows")
        outcomes = take_rows(rows, actor=request.user)
        return Response({**counts_of(outcomes), "rows": [outcome.as_json() for outcome in outcomes]})


class ImportRunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ImportRun]):
    """Files on their way in."""

    queryset = ImportRun.objects.select_related("carrier")
    serializer_class = ImportRunSerializer
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": ImportFileSerializer}, responses={202: ImportRunSerializer})
    def create(self, request: Request) -> Response:
        """Send a file of any size; it is taken over in the background.

        Its columns must be known by their names, or from a mapping that a person chose once on the page of an import.
        """
        file = request.FILES.get("file")
        if not isinstance(file, UploadedFile):
            raise bodies.BadBodyError(
                "Send a form with the field file.", code="no_file", fields={"file": ["Choose a file."]}
            )
        try:
            run, sample = runs.receive(file, actor=request.user, source="api")
        except UnreadableFileError as error:
            raise bodies.BadBodyError(str(error), code="unreadable", fields={"file": [str(error)]}) from error
        try:
            runs.start(run, sample, propose(sample).meanings, actor=request.user, source="api")
        except RefusedError as error:
            runs.discard(run, actor=request.user)
            error.status = 400
            raise
        run.refresh_from_db()
        return Response(self.get_serializer(run).data, status=202)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True)
    def refused(self, request: Request, pk: str) -> FileResponse:
        """The refused rows with their reasons, to be mended and sent again as they are."""
        return refused_rows(self.get_object())


class HookView(APIView):
    """Carriers sign instead of logging in."""

    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [bodies.RawParser]

    @extend_schema(
        operation_id="hooks_receive", request={"application/json": HookBodySerializer}, examples=[examples.HOOK],
        responses={202: HookAnswerSerializer, 200: HookAnswerSerializer}, auth=[],
        parameters=[
            OpenApiParameter(TIME_HEADER, str, OpenApiParameter.HEADER, required=True,
                             description="Seconds since 1970, within five minutes of now."),
            OpenApiParameter(SIGNATURE_HEADER, str, OpenApiParameter.HEADER, required=True,
                             description="Hexadecimal HMAC-SHA256 of `<timestamp>.<body>` with the carrier's secret."),
        ],
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        """Take over tracking events of a carrier. Any order, any number of times: every event is kept once.

        202: kept and taken over. 200: the same body was here before, nothing was added. Events of tracking numbers that
        are not known yet wait and are taken over with their delivery.
        """
        hook = get_object_or_404(CarrierHook.objects.select_related("carrier"), carrier__code=code, active=True)
        body = bodies.bounded(_stream_of(request), MOST_HOOK_BYTES)
        stamp, signature = request.headers.get(TIME_HEADER, ""), request.headers.get(SIGNATURE_HEADER, "")
        try:
            check(hook.secret, stamp, signature, body, now_s=time.time())
        except BadSignatureError as error:
            refusal = RefusedError(str(error), code=error.code)
            refusal.status = 401
            raise refusal from error
        return _answer(events.receive(hook, body))


def _stream_of(request: Request) -> Any:
    """The body as it comes; REST framework has no stream for an empty one."""
    return request.stream or request._request


def _answer(taken: events.Taken) -> Response:
    if not taken.readable:
        fault = taken.faults[0]
        raise bodies.BadBodyError(f"{fault.message} (kept as {taken.delivery_id})", code=fault.code)
    return Response(taken.as_json(), status=200 if taken.again else 202)
