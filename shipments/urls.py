"""Addresses of deliveries, documents and messages."""

from django.urls import URLPattern, URLResolver, path

from shipments.views import deliveries, documents, messages, panels, upload

urlpatterns: list[URLPattern | URLResolver] = [
    path("deliveries/", deliveries.shipment_list, name="shipment-list"),
    path("deliveries/<int:pk>/", deliveries.shipment_detail, name="shipment-detail"),
    path("deliveries/upload/", upload.upload, name="shipment-upload"),
    path("deliveries/upload/errors/<uuid:name>/", upload.errors, name="shipment-upload-errors"),
    path("deliveries/home/", panels.exceptions, name="shipment-home-panel"),
    path("documents/", documents.document_list, name="document-list"),
    path("documents/home/", panels.missing, name="document-home-panel"),
    path("documents/<int:pk>/file", documents.document_file, name="document-file"),
    path("messages/", messages.message_list, name="message-list"),
    path("messages/home/", panels.review, name="message-home-panel"),
]
