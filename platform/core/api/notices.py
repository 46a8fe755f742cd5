"""One's own messages over REST: by which ways, quiet hours, and what became of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api.strict import StrictSerializer, read
from core.models import Preference
from core.notices.choices import Channel
from core.notices.models import NoticeDelivery
from core.notices.preferences import chosen_ways, save_preferences


class NoticeChoicesSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(help_text="empty: nothing is mailed")
    quiet_from = serializers.TimeField(allow_null=True, help_text="in the person's time zone")
    quiet_to = serializers.TimeField(allow_null=True)
    urgent_in_quiet = serializers.BooleanField(help_text="critical messages come in quiet hours too")
    ways = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), help_text="by topic")


class NoticeChoicesChangeSerializer(StrictSerializer):
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    quiet_from = serializers.TimeField(required=False, allow_null=True)
    quiet_to = serializers.TimeField(required=False, allow_null=True)
    urgent_in_quiet = serializers.BooleanField(required=False)
    ways = serializers.DictField(
        child=serializers.ListField(child=serializers.ChoiceField(choices=Channel.choices)), required=False,
        help_text="{topic: [inbox, email, webhook]}; topics that are not named stay as they are",
    )  # fmt: skip


class NoticeChoicesView(APIView):
    """How the person of this key hears of things. Everybody changes their own."""

    write_permission = ""

    @extend_schema(responses=NoticeChoicesSerializer, operation_id="my_notice_choices")
    def get(self, request: Request) -> Response:
        return Response(NoticeChoicesSerializer(_choices(request.user)).data)

    @extend_schema(
        request=NoticeChoicesChangeSerializer,
        responses=NoticeChoicesSerializer,
        operation_id="my_notice_choices_change",
    )
    def patch(self, request: Request) -> Response:
        """Change what is named."""
        said = read(NoticeChoicesChangeSerializer, request)
        kept = _choices(request.user)
        kept.pop("ways")
        save_preferences(request.user, source="api", **(kept | said))
        return Response(NoticeChoicesSerializer(_choices(request.user)).data)


def _choices(user: Any) -> dict[str, Any]:
    preference = Preference.objects.filter(user=user).first() or Preference()
    names = ("quiet_from", "quiet_to", "urgent_in_quiet")
    return {name: getattr(preference, name) for name in names} | {"email": user.email, "ways": chosen_ways(user)}


class NoticeDeliverySerializer(serializers.ModelSerializer[NoticeDelivery]):
    topic = serializers.CharField(source="notice.topic")
    severity = serializers.CharField(source="notice.severity")
    subject = serializers.CharField(source="notice.subject")
    text = serializers.CharField(source="notice.text")
    url = serializers.CharField(source="notice.url", help_text="an address of this site")

    class Meta:
        model = NoticeDelivery
        fields = [
            "id", "topic", "severity", "subject", "text", "url", "channel", "state", "reason", "attempts", "due", "created",
            "finished",
        ]  # fmt: skip
        read_only_fields = fields


class NoticeDeliveryViewSet(mixins.ListModelMixin, GenericViewSet[NoticeDelivery]):
    """What the person of this key was told, by which way, and what became of it; the latest first, kept for 90 days."""

    queryset = NoticeDelivery.objects.select_related("notice")
    serializer_class = NoticeDeliverySerializer
    ordering = ["-created", "-id"]

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(user_id=self.request.user.pk or 0)
