"""This app's line in the left navigation."""

from django.utils.translation import gettext_lazy as _

from core.slots import NavEntry, navigation

navigation.register(NavEntry(group="costs", label=_("Costs"), url_name="cost-page", icon="coin", order=40))
