"""Webhooks out over REST, for administrators: subscriptions, their deliveries, a test, and sending again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api.errors import ErrorAnswerSerializer
from core.api.permissions import AdminPermission
from core.api.strict import StrictSerializer, read
from core.webhooks import services
from core.webhooks.models import WebhookDelivery, WebhookSubscription

NEW = OpenApiExample(
    "A webhook",
    value={
        "name": "warehouse", "url": "https://warehouse.example.com/hooks/deliveries",
        "events": ["shipment.status_changed", "document.stored"],
    },
    request_only=True,
)  # fmt: skip


class WebhookSerializer(serializers.ModelSerializer[WebhookSubscription]):
    state = serializers.CharField(read_only=True, help_text="active, failing, paused or disabled (switched itself off)")
    events = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = WebhookSubscription
        fields = [
            "id", "name", "url", "events", "active", "state", "disabled_reason", "failures", "not_before",
            "last_success", "last_failure", "last_error", "created", "created_by_name",
        ]  # fmt: skip
        read_only_fields = fields


class NewWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(help_text="Signs what we send. Shown now and never again.")

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookCreateSerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)
    url = serializers.CharField(max_length=500, help_text="http(s), of a public address or one in WEBHOOK_NETWORKS")
    events = serializers.ListField(child=serializers.CharField(max_length=60), help_text="see /api/v1/webhooks/events/")


class WebhookChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=80, required=False)
    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(child=serializers.CharField(max_length=60), required=False)
    active = serializers.BooleanField(
        required=False, help_text="false pauses; true resumes, also what switched itself off"
    )


class AttemptSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.FloatField()
    error = serializers.CharField()


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    history = AttemptSerializer(many=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "state", "event_count", "first_type", "created", "finished", "attempts", "next_attempt", "status",
            "duration_ms", "response", "error", "history",
        ]  # fmt: skip
        read_only_fields = fields


class EventKindSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the answer's word; the base means its own label


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Shown now and never again.")


class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[WebhookSubscription]):
    """Tools that are told of events. Only administrators see and change them."""

    queryset = WebhookSubscription.objects.all()
    serializer_class = WebhookSerializer
    permission_classes = [AdminPermission]
    ordering = ["name", "id"]

    @extend_schema(
        request=WebhookCreateSerializer,
        responses={201: NewWebhookSerializer, 409: ErrorAnswerSerializer},
        examples=[NEW],
    )
    def create(self, request: Request) -> Response:
        """Subscribe. The secret is in this answer and nowhere else afterwards; a repeated request is refused by its name."""
        asked = read(WebhookCreateSerializer, request)
        made, secret = services.create_subscription(**asked, actor=request.user, source="api")
        return Response({**WebhookSerializer(made).data, "secret": secret}, status=201)

    @extend_schema(request=WebhookChangeSerializer, responses=WebhookSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, url or events; pause, or resume."""
        subscription, asked = self.get_object(), read(WebhookChangeSerializer, request)
        active = asked.pop("active", None)
        if asked:
            services.change_subscription(subscription, actor=request.user, source="api", **asked)
        if active is not None:
            (services.resume if active else services.pause)(subscription, actor=request.user, source="api")
        subscription.refresh_from_db()
        return Response(WebhookSerializer(subscription).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Unsubscribe; what waits is not sent any more."""
        services.delete_subscription(self.get_object(), actor=request.user, source="api")
        return Response(status=204)

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"], url_path="secret")
    def new_secret(self, request: Request, pk: str) -> Response:
        """A new secret; the old one signs nothing from now on."""
        return Response({"secret": services.rotate_secret(self.get_object(), actor=request.user, source="api")})

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send one event of the type `test`, also to one that is paused; see its delivery for what came of it."""
        delivery = services.send_test(self.get_object(), actor=request.user, source="api")
        return Response(DeliverySerializer(delivery).data, status=202)

    @extend_schema(responses=DeliverySerializer(many=True))
    @action(detail=True)
    def deliveries(self, request: Request, pk: str) -> Response:
        """How sending went, the latest first; kept for 14 days."""
        self.ordering = ["-created", "-id"]
        rows: QuerySet[Any] = self.get_object().deliveries.all()
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(request=None, responses={202: DeliverySerializer, 409: ErrorAnswerSerializer})
    @action(detail=True, methods=["post"], url_path="deliveries/(?P<delivery>[0-9a-f-]{36})/resend")
    def resend(self, request: Request, pk: str, delivery: str) -> Response:
        """Send the same events once more."""
        row = get_object_or_404(WebhookDelivery, pk=_uuid(delivery), subscription=self.get_object())
        services.resend(row, actor=request.user, source="api")
        row.refresh_from_db()
        return Response(DeliverySerializer(row).data, status=202)

    @extend_schema(responses=EventKindSerializer(many=True))
    @action(detail=False, url_path="events", pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """The kinds of events there are."""
        return Response([{"type": name, "label": label} for name, label in services.kinds().items()])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
