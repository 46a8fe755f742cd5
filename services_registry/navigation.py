"""This app's lines in the left navigation."""

from django.utils.translation import gettext_lazy as _

from core.slots import NavEntry, navigation

navigation.register(
    NavEntry(group="batches", label=_("Batches"), url_name="batch-list", icon="batch", order=20),
    NavEntry(group="batches", label=_("Schedules"), url_name="schedule-list", icon="clock", order=25),
    NavEntry(group="functions", label=_("Registry"), url_name="function-list", icon="function", order=30),
    NavEntry(group="functions", label=_("Findings"), url_name="finding-list", icon="finding", order=35),
    NavEntry(group="functions", label=_("Fleet"), url_name="function-fleet", icon="server", order=35),
    NavEntry(group="functions", label=_("Changes"), url_name="function-changes", icon="tag", order=40),
    NavEntry(group="functions", label=_("Layers"), url_name="layer-list", icon="layers", order=45),
    NavEntry(group="functions", label=_("Telemetry"), url_name="telemetry", icon="chart", order=50),
    NavEntry(group="functions", label=_("AWS accounts"), url_name="sync-list", icon="clock", order=60),
)
