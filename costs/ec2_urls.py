"""Addresses of EC2-Other and of the reconciliation."""

from django.urls import URLPattern, URLResolver, path

from costs.views import ec2_other, reconciliation

urlpatterns: list[URLPattern | URLResolver] = [
    path("costs/ec2-other/", ec2_other.ec2_other, name="ec2-other"),
    path("costs/ec2-other/rows/", ec2_other.ec2_other_rows, name="ec2-other-rows"),
    path("costs/ec2-other/export.csv", ec2_other.ec2_other_csv, name="ec2-other-csv"),
    path("costs/reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("costs/reconciliation/export.csv", reconciliation.reconciliation_csv, name="reconciliation-csv"),
    path("costs/reconciliation/again/", reconciliation.reckon_again, name="reconciliation-again"),
    path("costs/reconciliation/<int:pk>/", reconciliation.reconciliation_function, name="reconciliation-function"),
]
