from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShipmentsConfig(AppConfig):
    name = "shipments"
    verbose_name = _("Deliveries")

    def ready(self) -> None:
        from services_registry.capabilities import register
        from shipments.capabilities.classify_messages import ClassifyMessages
        from shipments.capabilities.clean_up_files import CleanUpFiles
        from shipments.capabilities.fetch_documents import FetchDocuments
        from shipments.capabilities.fetch_files import FetchFiles
        from shipments.capabilities.render_pdf import RenderPdf
        from shipments.capabilities.sweep_connections import SweepConnections

        for capability in (
            RenderPdf(), FetchDocuments(), ClassifyMessages(), SweepConnections(), FetchFiles(), CleanUpFiles(),
        ):  # fmt: skip
            register(capability)
