"""Notes of a delivery over REST."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from shipments.models import Note, Shipment
from shipments.notes import write_note


class NoteSerializer(serializers.ModelSerializer[Note]):
    author = serializers.CharField(source="author_name", read_only=True)
    text = serializers.CharField(help_text="`@` and a user name mentions a person, who is told.")

    class Meta:
        model = Note
        fields = ["id", "author", "text", "created", "edited"]
        read_only_fields = ["created", "edited"]


class NotesView(generics.ListCreateAPIView[Note]):
    """Notes that are not deleted, newest first; writing one needs the operator role."""

    serializer_class = NoteSerializer
    parser_classes = [JSONParser]
    filter_backends: list[Any] = []
    queryset = Note.objects.none()
    ordering = ["-created", "-id"]

    def get_queryset(self) -> QuerySet[Note]:
        if getattr(self, "swagger_fake_view", False):
            return Note.objects.none()
        return Note.objects.filter(shipment=self._shipment(), deleted=None)

    @extend_schema(responses={201: NoteSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        text = asked.validated_data["text"]
        note = write_note(shipment=self._shipment(), author=request.user, text=text, source="api")
        return Response(self.get_serializer(note).data, status=201)

    def _shipment(self) -> Shipment:
        return get_object_or_404(Shipment, pk=self.kwargs["pk"])
