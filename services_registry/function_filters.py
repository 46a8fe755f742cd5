"""One filter class for the registry page and the API, so that `?runtime=` means the same in both."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from services_registry.choices import Kind
from services_registry.models import Function
from services_registry.selectors import search_functions

EITHER = [("", _("either")), ("true", _("yes")), ("false", _("no"))]


def known_values(field: str) -> list[tuple[str, str]]:
    """Choices of a text field: the values that functions have."""
    values = Function.objects.exclude(**{field: ""}).order_by(field).values_list(field, flat=True).distinct()
    return [(value, value) for value in values]


class FunctionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search", label=_("search"))
    runtime = django_filters.ChoiceFilter(
        choices=lambda: known_values("runtime"), empty_label=_("any"), label=_("runtime")
    )
    owner = django_filters.ChoiceFilter(choices=lambda: known_values("owner"), empty_label=_("any"), label=_("owner"))
    capability = django_filters.ChoiceFilter(
        choices=lambda: known_values("capability"), empty_label=_("any"), label=_("capability")
    )
    architecture = django_filters.ChoiceFilter(
        choices=lambda: known_values("architecture"), empty_label=_("any"), label=_("architecture")
    )
    kind = django_filters.ChoiceFilter(choices=Kind.choices, empty_label=_("any"), label=_("kind"))
    account = django_filters.ChoiceFilter(
        choices=lambda: known_values("account"), empty_label=_("any"), label=_("account")
    )
    region = django_filters.ChoiceFilter(
        choices=lambda: known_values("region"), empty_label=_("any"), label=_("region")
    )
    gone = django_filters.BooleanFilter(
        field_name="gone",
        lookup_expr="isnull",
        exclude=True,
        label=_("gone from AWS"),
        widget=forms.Select(choices=EITHER),
    )

    class Meta:
        model = Function
        fields = ["q", "runtime", "owner", "capability", "architecture", "kind", "account", "region", "gone"]

    def search(self, queryset: QuerySet[Function], name: str, value: str) -> QuerySet[Function]:
        return search_functions(queryset, value.strip())
