"""Addresses of deliveries, documents and messages."""

from django.urls import URLPattern, URLResolver, path

from shipments.views import deliveries, documents, exports, imports, messages, panels, saved_views, status, upload

urlpatterns: list[URLPattern | URLResolver] = [
    path("deliveries/", deliveries.shipment_list, name="shipment-list"),
    path("deliveries/export.csv", exports.shipments_csv, name="shipment-list-csv"),
    path("deliveries/columns/", saved_views.choose_columns, name="shipment-columns"),
    path("deliveries/views/", saved_views.save, name="shipment-view-save"),
    path("deliveries/view/<uuid:pk>/", saved_views.open_view, name="shipment-view"),
    path("deliveries/view/<uuid:pk>/change/", saved_views.change, name="shipment-view-change"),
    path("deliveries/view/<uuid:pk>/delete/", saved_views.delete, name="shipment-view-delete"),
    path("deliveries/<int:pk>/", deliveries.shipment_detail, name="shipment-detail"),
    path("deliveries/upload/", upload.upload, name="shipment-upload"),
    path("deliveries/imports/", imports.import_list, name="import-list"),
    path("deliveries/imports/<uuid:pk>/", imports.import_detail, name="import-detail"),
    path("deliveries/imports/<uuid:pk>/start/", imports.import_start, name="import-start"),
    path("deliveries/imports/<uuid:pk>/retry/", imports.import_retry, name="import-retry"),
    path("deliveries/imports/<uuid:pk>/discard/", imports.import_discard, name="import-discard"),
    path("deliveries/imports/<uuid:pk>/refused/", imports.import_refused, name="import-refused"),
    path("deliveries/home/", panels.exceptions, name="shipment-home-panel"),
    path("deliveries/codes/", status.code_list, name="code-list"),
    path("deliveries/codes/map/", status.code_map, name="code-map"),
    path("deliveries/codes/preview/", status.code_preview, name="code-preview"),
    path("deliveries/codes/take-back/<int:pk>/", status.code_undo, name="code-undo"),
    path("deliveries/codes/runs/<uuid:run_id>/", status.code_run, name="code-run"),
    path("deliveries/codes/runs/<uuid:run_id>/again/", status.code_run_again, name="code-run-again"),
    path("documents/", documents.document_list, name="document-list"),
    path("documents/home/", panels.missing, name="document-home-panel"),
    path("documents/<int:pk>/file", documents.document_file, name="document-file"),
    path("messages/", messages.message_list, name="message-list"),
    path("messages/home/", panels.review, name="message-home-panel"),
]
