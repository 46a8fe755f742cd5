"""Addresses under /api/v1/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from core.api import schema  # noqa: F401  # registers how the description names bearer tokens
from core.api.aws_calls import AwsCallViewSet
from core.api.notices import NoticeChoicesView, NoticeDeliveryViewSet
from core.api.views import MeView
from core.api.webhooks import WebhookViewSet

router = SimpleRouter()
router.register("me/notifications/log", NoticeDeliveryViewSet, basename="api-my-notice")
router.register("aws-calls", AwsCallViewSet, basename="api-aws-call")
router.register("webhooks", WebhookViewSet, basename="api-webhook")
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("me/notifications/", NoticeChoicesView.as_view(), name="api-my-notices"),
    path("me/", MeView.as_view(), name="api-me"),
    *router.urls,
]
