"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from services_registry.function_urls import urlpatterns as functions
from services_registry.views import batches

urlpatterns: list[URLPattern | URLResolver] = [
    path("batches/", batches.batch_list, name="batch-list"),
    path("batches/home/", batches.home_panel, name="batch-home-panel"),
    path("batches/plan/", batches.plan, name="batch-plan"),
    path("batches/start/", batches.start, name="batch-start"),
    path("batches/<uuid:pk>/", batches.batch_detail, name="batch-detail"),
    path("batches/<uuid:pk>/cancel/", batches.cancel, name="batch-cancel"),
    path("batches/<uuid:pk>/retry/", batches.retry, name="batch-retry"),
    *functions,
]
