"""Filters of the batch list, the same on the page and in the API."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from services_registry import capabilities
from services_registry.choices import BatchState
from services_registry.models import Batch

PLAIN_RUN = "run"


def _capability_choices() -> list[tuple[str, str]]:
    known = [(kind.slug, str(kind.label)) for kind in capabilities.all_capabilities()]
    return [*known, (PLAIN_RUN, str(_("single runs")))]


class BatchFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=BatchState.choices, label=_("State"), empty_label=_("any state"))
    capability = django_filters.ChoiceFilter(
        choices=_capability_choices, method="of_capability", label=_("Work"), empty_label=_("any work")
    )
    by = django_filters.CharFilter(field_name="created_by_name", lookup_expr="iexact", label=_("Started by"))

    class Meta:
        model = Batch
        fields = ["state", "capability", "by"]

    def of_capability(self, queryset: QuerySet[Batch], _name: str, value: str) -> QuerySet[Batch]:
        return queryset.filter(capability="" if value == PLAIN_RUN else value)
