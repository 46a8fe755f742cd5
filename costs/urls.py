"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from costs.bill_urls import urlpatterns as bills
from costs.ec2_urls import urlpatterns as ec2_other
from costs.money_urls import urlpatterns as money
from costs.unit_urls import urlpatterns as units
from costs.views import pages

urlpatterns: list[URLPattern | URLResolver] = [
    *bills,
    *ec2_other,
    *money,
    *units,
    path("costs/range/", pages.cost_page, name="cost-range"),
    path("costs/home/", pages.home_panel, name="cost-home-panel"),
    path("costs/batches/<uuid:pk>/fragment/", pages.batch_fragment, name="cost-batch-fragment"),
    path("costs/shipments/<int:pk>/fragment/", pages.shipment_fragment, name="cost-shipment-fragment"),
]
