"""One filter class for the findings page and the API, so that `?rule=` means the same in both."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.like import contains
from services_registry.choices import FindingState, Severity
from services_registry.guardrails.rule import rules
from services_registry.models import Finding, Function


def rule_choices() -> list[tuple[str, str]]:
    return [(slug, str(rule.title)) for slug, rule in rules().items()]


def owners_with_findings() -> list[tuple[str, str]]:
    owners = Finding.objects.exclude(function__owner="").order_by("function__owner")
    return [(name, name) for name in owners.values_list("function__owner", flat=True).distinct()]


class FindingFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(method="named", label=_("function"))
    rule = django_filters.ChoiceFilter(choices=rule_choices, empty_label=_("any"), label=_("rule"))
    severity = django_filters.ChoiceFilter(choices=Severity.choices, empty_label=_("any"), label=_("severity"))
    owner = django_filters.ChoiceFilter(
        field_name="function__owner", choices=owners_with_findings, empty_label=_("any"), label=_("owner")
    )
    state = django_filters.ChoiceFilter(choices=FindingState.choices, empty_label=_("any"), label=_("state"))
    function = django_filters.NumberFilter(field_name="function_id", label=_("id of the function"))

    class Meta:
        model = Finding
        fields = ["q", "rule", "severity", "owner", "state", "function"]

    def named(self, queryset: QuerySet[Finding], name: str, value: str) -> QuerySet[Finding]:
        if not (text := value.strip()):
            return queryset
        named = Function.objects.extra(  # noqa: S610  # ILIKE is not an ORM lookup: `icontains` misses the index
            where=["name ILIKE %s"], params=[contains(text)]
        )
        return queryset.filter(function__in=named)
