"""This app's panel on the home page."""

from django.utils.translation import gettext_lazy as _

from core.slots import HomePanel, home_panels

home_panels.register(HomePanel(title=_("Estimated cost"), url_name="cost-home-panel", order=40, width=6))
