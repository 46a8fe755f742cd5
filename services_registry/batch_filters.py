"""Filters of the batch list, the same on the page and in the API."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from services_registry import capabilities
from services_registry.batch_search import PLAIN_RUN, Search, SearchProblem, by_person, by_work, parse
from services_registry.choices import BatchState
from services_registry.models import Batch


def _capability_choices() -> list[tuple[str, str]]:
    known = [(kind.slug, str(kind.label)) for kind in capabilities.all_capabilities()]
    return [*known, (PLAIN_RUN, str(_("single runs")))]


class SearchField(forms.CharField):
    """Text of the search box, read. Refuses what cannot be understood, one sentence a term."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return parse(text) if text else None
        except SearchProblem as problem:
            raise forms.ValidationError([str(sentence) for sentence in problem.args]) from problem


LONGEST = 500
SAID = (
    "Words of the title, and terms: state:failed, function:name*, work:render_pdf, by:name, shipment:NUMBER, source:api,"
    " on:2026-11-23, after:7d, before:2026-11-01, id:1a2b. Days are UTC. What is not understood is refused."
)


class SearchFilter(django_filters.CharFilter):
    field_class = SearchField


class BatchFilter(django_filters.FilterSet):
    q = SearchFilter(method="matching", max_length=LONGEST, label=_("Search"))
    state = django_filters.ChoiceFilter(choices=BatchState.choices, label=_("State"), empty_label=_("any state"))
    capability = django_filters.ChoiceFilter(
        choices=_capability_choices, method="of_capability", label=_("Work"), empty_label=_("any work")
    )
    by = django_filters.CharFilter(method="of_person", max_length=150, label=_("Started by"))

    class Meta:
        model = Batch
        fields = ["q", "state", "capability", "by"]

    @property
    def search(self) -> Search | None:
        """What the search box means; its `notes` are complete once the rows were asked for."""
        found: Search | None = self.form.cleaned_data.get("q") if self.is_bound and self.is_valid() else None
        return found

    @extend_schema_field({"type": "string", "maxLength": LONGEST, "description": SAID})
    def matching(self, queryset: QuerySet[Batch], _name: str, value: Search) -> QuerySet[Batch]:
        user = getattr(self.request, "user", None)
        value.person = user.get_username() if user is not None else ""
        return value.apply(queryset)

    @extend_schema_field(OpenApiTypes.STR)
    def of_capability(self, queryset: QuerySet[Batch], _name: str, value: str) -> QuerySet[Batch]:
        return queryset.filter(by_work(value))

    @extend_schema_field(OpenApiTypes.STR)
    def of_person(self, queryset: QuerySet[Batch], _name: str, value: str) -> QuerySet[Batch]:
        return queryset.filter(by_person(value))


def chips_of(filters: BatchFilter) -> list[dict[str, str]]:
    """What narrows the list now: each term of the search and each filter, with the address that lacks it."""
    data: QueryDict = filters.data if isinstance(filters.data, QueryDict) else QueryDict()
    chips = []
    if search := filters.search:
        chips = [{"label": term.text, "url": _address(data, q=search.without(term))} for term in search.terms]
    shown: dict[str, dict[str, Any]] = {"state": dict(BatchState.choices), "capability": dict(_capability_choices())}
    for name in ("state", "capability", "by"):
        if value := data.get(name, ""):
            label = shown.get(name, {}).get(value, value)
            chips.append({"label": f"{filters.filters[name].label}: {label}", "url": _address(data, **{name: ""})})
    return chips


def _address(data: QueryDict, **changes: str) -> str:
    rest = data.copy()
    rest.pop("cursor", None)
    for name, value in changes.items():
        rest[name] = value
    for name in [name for name, value in rest.items() if not value]:
        del rest[name]
    return f"?{rest.urlencode()}"
