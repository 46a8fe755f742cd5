"""Panels of the home page."""

from django.utils.translation import gettext_lazy as _

from core.slots import HomePanel, home_panels

home_panels.register(
    HomePanel(title=_("Deliveries that need a look"), url_name="shipment-home-panel", order=10, width=4),
    HomePanel(title=_("Messages to review"), url_name="message-home-panel", order=20, width=4),
    HomePanel(title=_("Missing documents"), url_name="document-home-panel", order=30, width=4),
)
