"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from shipments.api import views

router = SimpleRouter()
router.register("carriers", views.CarrierViewSet, basename="api-carrier")
router.register("shipments", views.ShipmentViewSet, basename="api-shipment")
router.register("documents", views.DocumentViewSet, basename="api-document")
router.register("messages", views.MessageViewSet, basename="api-message")
urlpatterns = router.urls
