"""Addresses of this app under /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from services_registry.api.batches import BatchViewSet
from services_registry.api.functions import FunctionViewSet, InvocationViewSet, RevisionViewSet, SyncRunViewSet
from services_registry.api.plans import BatchPlanView
from services_registry.api.telemetry import DoorHourViewSet, RejectedLineViewSet

router = SimpleRouter()
router.register("batches", BatchViewSet, basename="api-batch")
router.register("functions", FunctionViewSet, basename="api-function")
router.register("revisions", RevisionViewSet, basename="api-revision")
router.register("syncs", SyncRunViewSet, basename="api-sync")
router.register("invocations", InvocationViewSet, basename="api-invocation")
router.register("telemetry/rejected", RejectedLineViewSet, basename="api-telemetry-rejected")
router.register("telemetry", DoorHourViewSet, basename="api-telemetry")

urlpatterns: list[URLPattern | URLResolver] = [
    path("batches/plan/", BatchPlanView.as_view(), name="api-batch-plan"),
    *router.urls,
]
