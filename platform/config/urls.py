"""Addresses: each app names its own; here they are only mounted."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("dashboard.urls")),
    path("", include("core.urls")),
    path("", include("services_registry.urls")),
    path("", include("shipments.urls")),
    path("", include("costs.urls")),
    path("api/v1/", include("core.api.urls")),
    path("api/v1/", include("services_registry.api.urls")),
    path("api/v1/", include("shipments.api.urls")),
    path("api/v1/", include("costs.api.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "dashboard.views.errors.bad_request"
handler403 = "dashboard.views.errors.forbidden"
handler404 = "dashboard.views.errors.not_found"
handler500 = "dashboard.views.errors.server_error"
