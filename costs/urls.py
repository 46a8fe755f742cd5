"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from costs.views import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("costs/", pages.cost_page, name="cost-page"),
    path("costs/home/", pages.home_panel, name="cost-home-panel"),
    path("costs/batches/<uuid:pk>/fragment/", pages.batch_fragment, name="cost-batch-fragment"),
    path("costs/shipments/<int:pk>/fragment/", pages.shipment_fragment, name="cost-shipment-fragment"),
]
