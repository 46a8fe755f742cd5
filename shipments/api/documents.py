"""Documents over REST: the filters of the page, the bytes, what people may do with them, and many as one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.http.response import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import BaseParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.pagination import page_size_of
from core.api.sync import SyncCursorPages
from core.bounded import bounded_page
from core.pagination import BadCursorError
from core.zip_stream import zip_response
from shipments.api.parts import SyncedViewSet
from shipments.api.serializers import DocumentSerializer
from shipments.choices import DocumentType
from shipments.documents import archive, changes, printing
from shipments.documents.selecting import ids_of
from shipments.documents.text_search import snippets
from shipments.documents.uploading import take_upload
from shipments.filters import DocumentFilter
from shipments.listing.documents import ORDER
from shipments.models import Carrier, Document, DocumentText, PrintJob, Shipment
from shipments.views.document_bulk import print_response
from shipments.views.documents import check_access, file_response, signed_link


class DocumentTextSerializer(serializers.ModelSerializer[DocumentText]):
    class Meta:
        model = DocumentText
        fields = ["document", "text", "language", "cut", "made"]


class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()
    type = serializers.ChoiceField(choices=DocumentType.choices)
    shipment = serializers.PrimaryKeyRelatedField(
        queryset=Shipment.objects.select_related("carrier"), required=False, allow_null=True,
        help_text="whose it is; without it, it is looked for in the file",
    )  # fmt: skip
    carrier = serializers.SlugRelatedField(slug_field="code", queryset=Carrier.objects.all(), required=False)


class DocumentReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class TypeSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=DocumentType.choices)


class AttachSerializer(serializers.Serializer[Any]):
    shipment = serializers.PrimaryKeyRelatedField(queryset=Shipment.objects.all())


class HoldSerializer(serializers.Serializer[Any]):
    held = serializers.BooleanField()
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class DocumentSelectionSerializer(serializers.Serializer[Any]):
    """Either `keys` or `query` with the filters of the list."""

    keys = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=archive.MOST)
    query = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("keys" in attrs) == ("query" in attrs):
            raise serializers.ValidationError({"keys": ["Send either keys or a query."]})
        return attrs


class PrintJobSerializer(serializers.ModelSerializer[PrintJob]):
    class Meta:
        model = PrintJob
        fields = ["id", "state", "total", "done", "left_out", "problem", "pages", "bytes", "created", "finished"]


class DocumentPages(SyncCursorPages):
    """Newest first, in a bounded time: a page may have few rows, even none, and still a `next`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        self.request, kind = request, request.query_params.get("type", "")

        def walk() -> QuerySet[Document]:
            rows = Document.objects.all()
            return rows.filter(type=kind) if kind in DocumentType.values else rows

        size, cursor = page_size_of(request), request.query_params.get("cursor", "")
        try:
            self.page = bounded_page(queryset, walk=walk, order=ORDER, cursor=cursor, size=size)
        except BadCursorError as error:
            raise ValidationError({"cursor": ["Not a cursor of this list; start again without it."]}) from error
        return self.page.rows


class DocumentViewSet(SyncedViewSet):
    queryset: QuerySet[Document] = Document.objects.select_related("carrier")
    serializer_class = DocumentSerializer
    filterset_class: Any = DocumentFilter
    pagination_class = DocumentPages

    def filter_queryset(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        """Filters are for lists; one document is found whatever its state."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        serializer = super().get_serializer(*args, **kwargs)
        words = self.request.query_params.get("q", "").strip() if self.action == "list" else ""
        rows: Sequence[Document] = args[0] if args and isinstance(args[0], list) else ()
        if words and rows:
            context: Any = serializer.context
            context["snippets"] = snippets([row.pk for row in rows], words)
        return serializer

    def get_parsers(self) -> list[BaseParser]:
        return [MultiPartParser(), JSONParser()]

    def _answer(self, document: Document, status: int = 200) -> Response:
        fresh = Document.objects.select_related("carrier").get(pk=document.pk)
        return Response(DocumentSerializer(fresh).data, status=status)

    def _values(self, kind: type[serializers.Serializer[Any]]) -> Any:
        asked = kind(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return asked.validated_data

    @extend_schema(
        request={"multipart/form-data": UploadSerializer}, responses={201: DocumentSerializer}, filters=False
    )
    def create(self, request: Request) -> Response:
        """Keep a file. 201: it is new; 200: it was here already. What is no good is kept in quarantine, with the reason."""
        values = self._values(UploadSerializer)
        file = values.pop("file")
        document, new = take_upload(file, actor=request.user, source="api", **values)
        return self._answer(document, 201 if new else 200)

    @extend_schema(request=None, responses={204: None}, filters=False)
    def destroy(self, request: Request, pk: str) -> Response:
        """Out of sight; it can be restored for 30 days."""
        changes.delete(self.get_object(), actor=request.user, source="api")
        return Response(status=204)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True)
    def file(self, request: Request, pk: str) -> FileResponse:
        """The original bytes. Of what is not released, for operators only."""
        document = self.get_object()
        check_access(document, request)
        return file_response(document, download=True)

    @extend_schema(responses={200: OpenApiTypes.OBJECT}, filters=False)
    @action(detail=True)
    def link(self, request: Request, pk: str) -> Response:
        """`{"url": …}`: a signed address of S3 that gives the bytes for a minute; null where files come through us."""
        document = self.get_object()
        check_access(document, request)
        return Response({"url": signed_link(document) or None})

    @extend_schema(responses=DocumentTextSerializer, filters=False)
    @action(detail=True)
    def text(self, request: Request, pk: str) -> Response:
        """What was read of it; 404 while nothing is."""
        read = DocumentText.objects.filter(document=self.get_object()).defer("search", "numbers").first()
        if read is None:
            return Response(status=404)
        return Response(DocumentTextSerializer(read).data)

    @extend_schema(request=DocumentReasonSerializer, responses=DocumentSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Out of quarantine; needs the permission `shipments.release_document`."""
        if not request.user.has_perm("shipments.release_document"):
            raise PermissionDenied("Releasing documents from quarantine needs a permission of its own.")
        document = self.get_object()
        changes.release(document, actor=request.user, source="api", **self._values(DocumentReasonSerializer))
        return self._answer(document)

    @extend_schema(request=DocumentReasonSerializer, responses=DocumentSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """A file in quarantine is no good, also when it comes again."""
        document = self.get_object()
        changes.reject(document, actor=request.user, source="api", **self._values(DocumentReasonSerializer))
        return self._answer(document)

    @extend_schema(request=None, responses=DocumentSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Take a deletion back."""
        document = self.get_object()
        changes.restore(document, actor=request.user, source="api")
        return self._answer(document)

    @extend_schema(request=TypeSerializer, responses=DocumentSerializer, filters=False)
    @action(detail=True, methods=["post"], url_path="type")
    def change_type(self, request: Request, pk: str) -> Response:
        """Say what kind of document it is."""
        document = self.get_object()
        changes.change_type(document, actor=request.user, source="api", **self._values(TypeSerializer))
        return self._answer(document)

    @extend_schema(request=AttachSerializer, responses=DocumentSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def attach(self, request: Request, pk: str) -> Response:
        """Say whose document it is."""
        document = self.get_object()
        changes.attach(document, self._values(AttachSerializer)["shipment"], actor=request.user, source="api")
        return self._answer(document)

    @extend_schema(request=HoldSerializer, responses=DocumentSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str) -> Response:
        """Keep it whatever retention says (with a reason), or no longer."""
        document = self.get_object()
        changes.hold(document, actor=request.user, source="api", **self._values(HoldSerializer))
        return self._answer(document)

    @extend_schema(
        request=DocumentSelectionSerializer, responses={(200, "application/zip"): OpenApiTypes.BINARY}, filters=False
    )
    @action(detail=False, methods=["post"], url_path="zip", pagination_class=None)
    def archive(self, request: Request) -> StreamingHttpResponse:
        """Up to 10,000 documents as one ZIP with an index, streamed. Quarantined ones are only named in the index."""
        ids = ids_of(self._values(DocumentSelectionSerializer), most=archive.MOST)
        return zip_response("documents.zip", archive.archive_entries(ids))


class PrintViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[PrintJob]):
    """Many documents as one PDF: ask, watch `state`, fetch `/documents/print/<id>/file`."""

    queryset = PrintJob.objects.all()
    serializer_class = PrintJobSerializer

    @extend_schema(request=DocumentSelectionSerializer, responses={202: PrintJobSerializer})
    def create(self, request: Request) -> Response:
        """At most 500 documents and 100 MB."""
        asked = DocumentSelectionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        ids = ids_of(asked.validated_data, most=archive.MOST)
        job = printing.request_print(ids, actor=request.user, source="api")
        return Response(PrintJobSerializer(job).data, status=202)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True)
    def file(self, request: Request, pk: str) -> FileResponse:
        """The PDF, once `state` is done."""
        return print_response(self.get_object())
