"""The frame's own navigation entries."""

from django.utils.translation import gettext_lazy as _

from core.slots import NavEntry, navigation

navigation.register(
    NavEntry(group="home", label=_("Home"), url_name="home", icon="home", order=0),
    NavEntry(
        group="admin",
        label=_("Admin"),
        url_name="admin:index",
        icon="settings",
        order=900,
        permission="core.administer",
    ),
    NavEntry(group="admin", label=_("Account"), url_name="account", icon="user", order=910),
)
