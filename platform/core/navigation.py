"""The platform's own lines in the navigation, and what it never hides in the top bar."""

from django.utils.translation import gettext_lazy as _

from core.slots import AlertBadge, NavEntry, alerts, navigation

navigation.register(
    NavEntry(
        group="admin",
        label=_("Webhooks"),
        url_name="webhook-list",
        icon="link",
        order=890,
        permission="core.administer",
    ),
)
alerts.register(AlertBadge(url_name="webhook-alert", order=200, permission="core.administer"))
