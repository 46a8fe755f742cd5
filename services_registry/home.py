"""This app's panels on the home page."""

from django.utils.translation import gettext_lazy as _

from core.slots import HomePanel, home_panels

home_panels.register(
    HomePanel(title=_("Batches running and failed"), url_name="batch-home-panel", order=20, width=6),
    HomePanel(title=_("Functions"), url_name="function-home-panel", order=30, width=6),
    HomePanel(title=_("Findings"), url_name="finding-home-panel", order=35, width=6),
)
