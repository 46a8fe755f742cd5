"""Addresses of EC2-Other."""

from django.urls import URLPattern, URLResolver, path

from costs.views import ec2_other

urlpatterns: list[URLPattern | URLResolver] = [
    path("costs/ec2-other/", ec2_other.ec2_other, name="ec2-other"),
    path("costs/ec2-other/rows/", ec2_other.ec2_other_rows, name="ec2-other-rows"),
    path("costs/ec2-other/export.csv", ec2_other.ec2_other_csv, name="ec2-other-csv"),
]
