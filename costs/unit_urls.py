"""Addresses of cost per delivery and of what-ifs."""

from django.urls import URLPattern, URLResolver, path

from costs.views import deliveries

urlpatterns: list[URLPattern | URLResolver] = [
    path("costs/deliveries/", deliveries.unit_costs, name="unit-costs"),
    path("costs/deliveries/export.csv", deliveries.unit_costs_csv, name="unit-costs-csv"),
    path("costs/deliveries/behind/", deliveries.behind, name="unit-cost-behind"),
    path("costs/deliveries/behind/<uuid:pk>/", deliveries.behind_batch, name="unit-cost-batch"),
]
