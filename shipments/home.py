"""Panels of the home page, the most urgent first."""

from django.utils.translation import gettext_lazy as _

from core.slots import HomePanel, home_panels

home_panels.register(
    HomePanel(title=_("Late"), url_name="late-home-panel", order=10, width=4, tall=True),
    HomePanel(title=_("Silent"), url_name="silent-home-panel", order=12, width=4, tall=True),
    HomePanel(title=_("To sort out"), url_name="to-sort-out-home-panel", order=14, width=4, tall=True),
    HomePanel(
        title=_("Exceptions by reason and carrier"), url_name="exceptions-home-panel", order=10, width=6, tall=True
    ),
    HomePanel(title=_("Today against a usual day"), url_name="today-home-panel", order=12, width=6, tall=True),
    HomePanel(title=_("Documents overdue"), url_name="document-home-panel", order=16, width=6),
)
