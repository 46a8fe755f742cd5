"""The API's own entries: who am I."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.models import ApiToken
from core.roles import role_of


class MeSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    role = serializers.CharField(help_text="viewer, operator or admin")
    token = serializers.CharField(allow_null=True, help_text="name of the API token used; null for a session")


class MeView(APIView):
    """Whom this key or session belongs to, and what they may do."""

    @extend_schema(responses=MeSerializer, operation_id="me")
    def get(self, request: Request) -> Response:
        token = request.auth.name if isinstance(request.auth, ApiToken) else None
        user = request.user
        return Response({"username": user.get_username(), "role": role_of(user), "token": token})
