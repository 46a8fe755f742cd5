"""Addresses of the registry pages."""

from django.urls import path

from services_registry.views import functions

urlpatterns = [
    path("functions/", functions.function_list, name="function-list"),
    path("functions/home/", functions.home_panel, name="function-home-panel"),
    path("functions/<int:pk>/", functions.function_detail, name="function-detail"),
    path("functions/<int:pk>/run/", functions.run, name="function-run"),
    path("functions/by-name/<str:name>/", functions.by_name, name="function-by-name"),
]
