"""What people keep at a function, over REST: payloads to run it with, and notes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from services_registry import function_notes, payloads
from services_registry.models import Function, FunctionNote, SavedPayload


class PayloadSerializer(serializers.ModelSerializer[SavedPayload]):
    owner = serializers.CharField(source="owner.username", read_only=True)
    name = serializers.CharField(max_length=80)
    payload = serializers.JSONField(help_text="what the function receives as its event; no secrets")
    shared = serializers.BooleanField(default=False, help_text="everybody sees it; only its owner changes it")

    class Meta:
        model = SavedPayload
        fields = ["id", "name", "payload", "shared", "owner", "created", "changed"]
        read_only_fields = ["created", "changed"]


class PayloadsView(generics.ListCreateAPIView[SavedPayload]):
    """Your payloads of a function and those that others share. Keeping one needs the operator role.

    One of yours with the same name is replaced.
    """

    serializer_class = PayloadSerializer
    parser_classes = [JSONParser]
    filter_backends: list[Any] = []
    queryset = SavedPayload.objects.none()
    ordering = ["name", "id"]

    def get_queryset(self) -> QuerySet[SavedPayload]:
        if getattr(self, "swagger_fake_view", False):
            return SavedPayload.objects.none()
        return payloads.visible_to(self.request.user, self._function())

    @extend_schema(responses={201: PayloadSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = payloads.save_payload(function=self._function(), owner=request.user, source="api", **asked.validated_data)
        return Response(self.get_serializer(row).data, status=201)

    def _function(self) -> Function:
        return get_object_or_404(Function, pk=self.kwargs["pk"])


class PayloadView(generics.GenericAPIView[SavedPayload]):
    """One kept payload; only its owner changes and deletes it. A deleted one can be taken back for a day on the page."""

    serializer_class = PayloadSerializer
    parser_classes = [JSONParser]
    filter_backends: list[Any] = []
    queryset = SavedPayload.objects.none()

    @extend_schema(responses=PayloadSerializer)
    def get(self, request: Request, pk: int, payload_pk: UUID) -> Response:
        visible = payloads.visible_to(request.user, get_object_or_404(Function, pk=pk))
        return Response(self.get_serializer(get_object_or_404(visible, pk=payload_pk)).data)

    @extend_schema(responses=PayloadSerializer)
    def patch(self, request: Request, pk: int, payload_pk: UUID) -> Response:
        row = self._own(request, pk, payload_pk)
        asked = self.get_serializer(row, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        given = {"name": row.name, "payload": row.payload, "shared": row.shared} | asked.validated_data
        changed = payloads.change_payload(row, actor=request.user, source="api", **given)
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int, payload_pk: UUID) -> Response:
        payloads.delete_payload(self._own(request, pk, payload_pk), actor=request.user, source="api")
        return Response(status=204)

    def _own(self, request: Request, pk: int, payload_pk: UUID) -> SavedPayload:
        try:
            row = payloads.own_payload(request.user, payload_pk)
        except SavedPayload.DoesNotExist as error:
            raise Http404 from error
        if row.function_id != pk:
            raise Http404
        return row


class FunctionNoteSerializer(serializers.ModelSerializer[FunctionNote]):
    author = serializers.CharField(source="author_name", read_only=True)
    text = serializers.CharField(help_text="`@` and a user name mentions a person, who is told.")

    class Meta:
        model = FunctionNote
        fields = ["id", "author", "text", "created", "edited"]
        read_only_fields = ["created", "edited"]


class FunctionNotesView(generics.ListCreateAPIView[FunctionNote]):
    """Notes that are not deleted, newest first; writing one needs the operator role."""

    serializer_class = FunctionNoteSerializer
    parser_classes = [JSONParser]
    filter_backends: list[Any] = []
    queryset = FunctionNote.objects.none()
    ordering = ["-created", "-id"]

    def get_queryset(self) -> QuerySet[FunctionNote]:
        if getattr(self, "swagger_fake_view", False):
            return FunctionNote.objects.none()
        return FunctionNote.objects.filter(function=self._function(), deleted=None)

    @extend_schema(responses={201: FunctionNoteSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        text = asked.validated_data["text"]
        note = function_notes.write_note(function=self._function(), author=request.user, text=text, source="api")
        return Response(self.get_serializer(note).data, status=201)

    def _function(self) -> Function:
        return get_object_or_404(Function, pk=self.kwargs["pk"])
