"""Addresses of the registry pages."""

from django.urls import path

from services_registry.views import functions, registry

urlpatterns = [
    path("functions/", functions.function_list, name="function-list"),
    path("functions/changes/", registry.change_feed, name="function-changes"),
    path("functions/syncs/", registry.sync_list, name="sync-list"),
    path("functions/syncs/now/", registry.sync_now, name="sync-now"),
    path("functions/home/", functions.home_panel, name="function-home-panel"),
    path("functions/<int:pk>/", functions.function_detail, name="function-detail"),
    path("functions/<int:pk>/run/", functions.run, name="function-run"),
    path("functions/by-name/<str:name>/", functions.by_name, name="function-by-name"),
]
