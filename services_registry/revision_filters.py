"""Filters of the change feed, the same on its page and over the API."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from services_registry.function_changes import label_of
from services_registry.function_filters import known_values
from services_registry.models import Function, FunctionRevision
from services_registry.registry.sync import WATCHED
from services_registry.selectors import search_functions

_FIELDS = sorted(((name, label_of(name)) for name in (*WATCHED, "gone")), key=lambda pair: pair[1])


class RevisionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(method="named", label=_("function"))
    field = django_filters.ChoiceFilter(
        choices=_FIELDS, method="touching", empty_label=_("any"), label=_("what changed")
    )
    owner = django_filters.ChoiceFilter(
        field_name="function__owner", choices=lambda: known_values("owner"), empty_label=_("any"), label=_("owner")
    )
    by = django_filters.CharFilter(lookup_expr="exact", label=_("by"))
    after = django_filters.DateFilter(field_name="seen", lookup_expr="date__gte", label=_("since"))

    class Meta:
        model = FunctionRevision
        fields = ["q", "field", "owner", "by", "after"]

    def named(self, queryset: QuerySet[FunctionRevision], name: str, value: str) -> QuerySet[FunctionRevision]:
        return queryset.filter(function__in=search_functions(Function.objects.all(), value.strip()).order_by())

    def touching(self, queryset: QuerySet[FunctionRevision], name: str, value: str) -> QuerySet[FunctionRevision]:
        return queryset.filter(changes__has_key=value)
