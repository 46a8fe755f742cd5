"""Addresses under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from shipments.api import completeness, documents, intake, meaning, notes, parts, views

router = SimpleRouter()
router.register("carriers", parts.CarrierViewSet, basename="api-carrier")
router.register("shipments", views.ShipmentViewSet, basename="api-shipment")
router.register("documents", documents.DocumentViewSet, basename="api-document")
router.register("prints", documents.PrintViewSet, basename="api-print")
router.register("expected-documents", completeness.ExpectedViewSet, basename="api-expected-document")
router.register("messages", parts.MessageViewSet, basename="api-message")
router.register("imports", intake.ImportRunViewSet, basename="api-import")
router.register("code-mappings", meaning.MappingViewSet, basename="api-code-mapping")
router.register("unmapped-codes", meaning.UnmappedViewSet, basename="api-unmapped-code")
router.register("saved-views", meaning.SavedViewSet, basename="api-saved-view")
urlpatterns = [
    path("shipments/bulk/", intake.BulkView.as_view(), name="api-shipment-bulk"),
    # Tools leave the last slash out; a redirect would lose the body.
    path("shipments/bulk", intake.BulkView.as_view(schema=None), name="api-shipment-bulk-bare"),
    path("shipments/<int:pk>/notes/", notes.NotesView.as_view(), name="api-shipment-notes"),
    path("statuses/", meaning.StatusView.as_view(), name="api-status"),
    path("reasons/", meaning.ReasonView.as_view(), name="api-reason"),
    path("hooks/<slug:code>/", intake.HookView.as_view(), name="api-hook"),
    path("hooks/<slug:code>", intake.HookView.as_view(schema=None), name="api-hook-bare"),
    *router.urls,
]
