"""Addresses under /api/v1/."""

from rest_framework.routers import SimpleRouter

from shipments.api import views

router = SimpleRouter()
router.register("carriers", views.CarrierViewSet)
router.register("shipments", views.ShipmentViewSet)
router.register("documents", views.DocumentViewSet)
router.register("messages", views.MessageViewSet)
urlpatterns = router.urls
