"""Addresses of cost per delivery and of what-ifs."""

from django.urls import URLPattern, URLResolver, path

from costs.views import deliveries, what_if

urlpatterns: list[URLPattern | URLResolver] = [
    path("costs/deliveries/", deliveries.unit_costs, name="unit-costs"),
    path("costs/deliveries/export.csv", deliveries.unit_costs_csv, name="unit-costs-csv"),
    path("costs/deliveries/behind/", deliveries.behind, name="unit-cost-behind"),
    path("costs/deliveries/behind/<uuid:pk>/", deliveries.behind_batch, name="unit-cost-batch"),
    path("costs/what-if/", what_if.what_if_list, name="what-if-list"),
    path("costs/what-if/export.csv", what_if.what_if_csv, name="what-if-csv"),
    path("costs/functions/<int:pk>/", what_if.what_if, name="what-if"),
    path("costs/functions/<int:pk>/fragment/", what_if.what_if_fragment, name="what-if-fragment"),
]
