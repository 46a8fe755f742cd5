"""Addresses of this app under /api/v1/."""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from services_registry.api.batches import BatchViewSet
from services_registry.api.functions import FunctionViewSet, InvocationViewSet

router = SimpleRouter()
router.register("batches", BatchViewSet, basename="api-batch")
router.register("functions", FunctionViewSet, basename="api-function")
router.register("invocations", InvocationViewSet, basename="api-invocation")

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]
