"""This app's lines in the left navigation."""

from django.utils.translation import gettext_lazy as _

from core.slots import NavEntry, navigation

navigation.register(
    NavEntry(group="costs", label=_("Costs"), url_name="cost-page", icon="coin", order=40),
    NavEntry(group="costs", label=_("Budgets"), url_name="budget-list", icon="tag", order=42),
    NavEntry(group="costs", label=_("Cost anomalies"), url_name="cost-anomalies", icon="alert", order=44),
    NavEntry(group="costs", label=_("EC2-Other"), url_name="ec2-other", icon="server", order=45),
    NavEntry(group="costs", label=_("Cost per delivery"), url_name="unit-costs", icon="truck", order=46),
    NavEntry(group="costs", label=_("Reconciliation"), url_name="reconciliation", icon="check", order=47),
    NavEntry(group="costs", label=_("Bills"), url_name="bill-list", icon="report", order=48),
    NavEntry(group="costs", label=_("What-if"), url_name="what-if-list", icon="server", order=47),
)
