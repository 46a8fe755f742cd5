"""Addresses of the registry pages."""

from django.urls import path

from services_registry.views import firehose, function_edit, function_list, functions, registry, telemetry

urlpatterns = [
    path("functions/", function_list.function_list, name="function-list"),
    path("functions/export.csv", function_list.functions_csv, name="function-list-csv"),
    *function_list.VIEWS.urls("functions/"),
    path("functions/edit/", function_edit.edit, name="function-edit"),
    path("functions/changes/", registry.change_feed, name="function-changes"),
    path("functions/syncs/", registry.sync_list, name="sync-list"),
    path("functions/syncs/now/", registry.sync_now, name="sync-now"),
    path("functions/telemetry/", telemetry.telemetry, name="telemetry"),
    path("functions/telemetry/firehose/", firehose.firehose, name="telemetry-firehose"),
    path("functions/home/", functions.home_panel, name="function-home-panel"),
    path("functions/<int:pk>/", functions.function_detail, name="function-detail"),
    path("functions/<int:pk>/run/", functions.run, name="function-run"),
    path("functions/by-name/<str:name>/", functions.by_name, name="function-by-name"),
]
