"""Addresses under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from shipments.api import documents, intake, notes, views

router = SimpleRouter()
router.register("carriers", views.CarrierViewSet, basename="api-carrier")
router.register("shipments", views.ShipmentViewSet, basename="api-shipment")
router.register("documents", documents.DocumentViewSet, basename="api-document")
router.register("prints", documents.PrintViewSet, basename="api-print")
router.register("messages", views.MessageViewSet, basename="api-message")
router.register("imports", intake.ImportRunViewSet, basename="api-import")
urlpatterns = [
    path("shipments/bulk/", intake.BulkView.as_view(), name="api-shipment-bulk"),
    # Tools leave the last slash out; a redirect would lose the body.
    path("shipments/bulk", intake.BulkView.as_view(schema=None), name="api-shipment-bulk-bare"),
    path("shipments/<int:pk>/notes/", notes.NotesView.as_view(), name="api-shipment-notes"),
    path("hooks/<slug:code>/", intake.HookView.as_view(), name="api-hook"),
    path("hooks/<slug:code>", intake.HookView.as_view(schema=None), name="api-hook-bare"),
    *router.urls,
]
