"""Addresses of this app under /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from services_registry.api.batches import BatchViewSet
from services_registry.api.findings import FindingViewSet
from services_registry.api.fleet import FleetGroupsView, FleetSeriesView
from services_registry.api.function_facts import FunctionFactsView, FunctionKeptView
from services_registry.api.functions import FunctionViewSet, InvocationViewSet, RevisionViewSet, SyncRunViewSet
from services_registry.api.kept import FunctionNotesView, PayloadsView, PayloadView
from services_registry.api.layers import FunctionSizeViewSet, LayerViewSet, PackageSizeViewSet
from services_registry.api.plans import BatchPlanView
from services_registry.api.stops import FunctionRestoreView, FunctionStopView, StopRecordViewSet
from services_registry.api.telemetry import DoorHourViewSet, MetricDayViewSet, RejectedLineViewSet

router = SimpleRouter()
router.register("batches", BatchViewSet, basename="api-batch")
router.register("functions", FunctionViewSet, basename="api-function")
router.register("findings", FindingViewSet, basename="api-finding")
router.register("stops", StopRecordViewSet, basename="api-stop")
router.register("revisions", RevisionViewSet, basename="api-revision")
router.register("syncs", SyncRunViewSet, basename="api-sync")
router.register("invocations", InvocationViewSet, basename="api-invocation")
router.register("layers", LayerViewSet, basename="api-layer")
router.register("function-sizes", FunctionSizeViewSet, basename="api-function-size")
router.register("package-sizes", PackageSizeViewSet, basename="api-package-size")
router.register("telemetry/rejected", RejectedLineViewSet, basename="api-telemetry-rejected")
router.register("telemetry/cross-check", MetricDayViewSet, basename="api-telemetry-cross-check")
router.register("telemetry", DoorHourViewSet, basename="api-telemetry")

urlpatterns: list[URLPattern | URLResolver] = [
    path("batches/plan/", BatchPlanView.as_view(), name="api-batch-plan"),
    path("functions/<int:pk>/stop/", FunctionStopView.as_view(), name="api-function-stop"),
    path("functions/<int:pk>/restore/", FunctionRestoreView.as_view(), name="api-function-restore"),
    path("functions/fleet/series/", FleetSeriesView.as_view(), name="api-fleet-series"),
    path("functions/fleet/groups/", FleetGroupsView.as_view(), name="api-fleet-groups"),
    path("functions/<int:pk>/notes/", FunctionNotesView.as_view(), name="api-function-notes"),
    path("functions/<int:pk>/payloads/", PayloadsView.as_view(), name="api-function-payloads"),
    path("functions/<int:pk>/payloads/<uuid:payload_pk>/", PayloadView.as_view(), name="api-function-payload"),
    path("functions/facts/", FunctionFactsView.as_view(), name="api-function-facts"),
    path("functions/<int:pk>/kept/", FunctionKeptView.as_view(), name="api-function-kept"),
    *router.urls,
]
