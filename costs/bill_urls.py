"""Addresses of bills."""

from django.urls import URLPattern, URLResolver, path

from costs.views import bills

urlpatterns: list[URLPattern | URLResolver] = [
    path("costs/imports/", bills.bill_list, name="bill-list"),
    path("costs/imports/new/", bills.bill_upload, name="bill-upload"),
    path("costs/imports/<uuid:pk>/", bills.bill_detail, name="bill-detail"),
    path("costs/imports/<uuid:pk>/confirm/", bills.bill_action, {"verb": "confirm"}, name="bill-confirm"),
    path("costs/imports/<uuid:pk>/discard/", bills.bill_action, {"verb": "discard"}, name="bill-discard"),
    path("costs/imports/<uuid:pk>/retry/", bills.bill_action, {"verb": "retry"}, name="bill-retry"),
    path("costs/imports/<uuid:pk>/undo/", bills.bill_action, {"verb": "undo"}, name="bill-undo"),
]
