"""Navigation entries."""

from django.utils.translation import gettext_lazy as _

from core.slots import NavEntry, navigation

navigation.register(
    NavEntry(group="deliveries", label=_("Deliveries"), url_name="shipment-list", icon="truck", order=100),
    NavEntry(group="deliveries", label=_("Imports"), url_name="import-list", icon="upload", order=105),
    NavEntry(group="deliveries", label=_("Documents"), url_name="document-list", icon="files", order=110),
    NavEntry(group="deliveries", label=_("Completeness"), url_name="document-board", icon="check", order=112),
    NavEntry(
        group="deliveries",
        label=_("Templates"),
        url_name="template-list",
        icon="edit",
        order=140,
        permission="core.administer",
    ),
    NavEntry(
        group="deliveries",
        label=_("Document review"),
        url_name="document-review",
        icon="eye",
        order=114,
        permission="core.operate",
    ),
    NavEntry(group="deliveries", label=_("Connections"), url_name="connection-list", icon="server", order=135),
    NavEntry(group="deliveries", label=_("Rules"), url_name="automation-list", icon="bolt", order=145),
    NavEntry(group="deliveries", label=_("Messages"), url_name="message-list", icon="message", order=120),
    NavEntry(
        group="deliveries",
        label=_("Carrier codes"),
        url_name="code-list",
        icon="tag",
        order=130,
        permission="core.operate",
    ),
)
