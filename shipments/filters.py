"""The one filter class of each list, used by its page, by the API and by "select all that match"."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from shipments import reasons
from shipments.choices import OPEN_EXPECTATIONS, DocumentSource, DocumentState, DocumentType, Status
from shipments.documents.text_search import deliveries_with_text, ranked_documents, with_text
from shipments.listing import attention
from shipments.listing.attention import end_of_day, start_of_day
from shipments.listing.search import SHORTEST, few_ids, narrowed, with_ids
from shipments.models import Carrier, CarrierMessage, Document, ExpectedDocument, Shipment

DELIVERED_ONLY = ("delivered_after", "delivered_before", "delivered_days", "delivered_days_under")
"""Filters beside which every row has a time of delivery, so that the list can be in its order."""
SORT_NEEDS = {"delivered": DELIVERED_ONLY, "tracking_number": ("carrier",)}
NO_REASON = "none"
MOST_DAYS = 3650
LATE_CHOICES = [("now", _("promised before now, still open")), ("delivered", _("delivered after the promise"))]
DUE_CHOICES = [("today", _("today")), ("tomorrow", _("tomorrow"))]
LIST_ONLY = frozenset({"cursor", "sort", "columns", "view", "page_size", "fields", "csrfmiddlewaretoken"})
"""Parts of a list's address that say how it is shown, not what is in it."""

HIDDEN = (DocumentState.DELETED, DocumentState.REJECTED)


class SearchField(forms.CharField):
    """The text of the search box; refuses what is too short for the index."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if 0 < len(text) < SHORTEST:
            words = _("Type at least %(n)s characters: shorter texts are in nearly every number.")
            raise forms.ValidationError(words, code="too_short", params={"n": SHORTEST})
        return text


class StatusFilter(django_filters.MultipleChoiceFilter):
    """Any of several statuses, as one condition that an index answers; nothing is found twice, so no DISTINCT."""

    def __init__(self) -> None:
        super().__init__(choices=Status.choices, distinct=False, label=_("status"))

    def filter(self, queryset: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return queryset.filter(status__in=value) if value else queryset


class ReasonField(forms.MultipleChoiceField):
    """Any spelling of a code: events may carry reasons that people have since renamed."""

    def valid_value(self, value: Any) -> bool:
        return bool(re.fullmatch(r"[\w-]{1,50}", str(value)))


@extend_schema_field(OpenApiTypes.STR)
class ReasonFilter(django_filters.MultipleChoiceFilter):
    """Any of several reasons by their codes; `none` for deliveries of which no reason is stated."""

    field_class = ReasonField

    def __init__(self) -> None:
        super().__init__(choices=reason_choices, distinct=False, label=_("reason"))

    def filter(self, queryset: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return queryset.filter(reason__in=["" if code == NO_REASON else code for code in value]) if value else queryset


def reason_choices() -> list[tuple[str, str]]:
    return [*reasons.reason_choices(), (NO_REASON, str(_("none stated")))]


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": MOST_DAYS})
class DaysFilter(django_filters.NumberFilter):
    """Whole days before now, 24 hours each."""

    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MOST_DAYS, **kwargs)


class SearchFilter(django_filters.CharFilter):
    field_class = SearchField


class CarrierFilter(django_filters.ModelChoiceFilter):
    """`?carrier=` by code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Carrier.objects.all(), to_field_name="code", label=_("carrier"), **kwargs)


class NamedOnly(django_filters.FilterSet):
    """Makes only the filters that the address names: making all of them takes longer than reading a page of rows."""

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None:
            known: dict[str, Any] = vars(type(self))["base_filters"]
            self.base_filters = {name: made for name, made in known.items() if name in data}
        super().__init__(data, *args, **kwargs)


class ShipmentFilter(NamedOnly):
    """What the list of deliveries can be narrowed by."""

    q = SearchFilter(method="search", max_length=100, label=_("number, reference, customer, text"))
    status = StatusFilter()
    carrier = CarrierFilter()
    country = django_filters.CharFilter(method="to_country", max_length=2, label=_("country"))
    created_after = django_filters.DateFilter(method="from_day", label=_("ordered from"))
    created_before = django_filters.DateFilter(method="until_day", label=_("ordered until"))
    missing = django_filters.ChoiceFilter(choices=DocumentType.choices, method="lacks", label=_("missing document"))
    incomplete = django_filters.BooleanFilter(method="lacks_any", label=_("documents missing"))
    unmapped = django_filters.BooleanFilter(label=_("code not mapped"))
    exception = django_filters.BooleanFilter(method="is_exception", label=_("needs action"))
    reason = ReasonFilter()
    late = django_filters.ChoiceFilter(choices=LATE_CHOICES, method="beside", label=_("late"))
    late_days = DaysFilter(method="beside", label=_("late for days, at least"))
    late_days_under = DaysFilter(method="beside", label=_("late for days, fewer than"))
    due = django_filters.ChoiceFilter(choices=DUE_CHOICES, method="beside", label=_("due"))
    silent_days = DaysFilter(method="beside", label=_("open and silent for days, at least"))
    silent_days_under = DaysFilter(method="beside", label=_("silent for days, fewer than"))
    delivered_after = django_filters.DateFilter(method="delivered_from", label=_("delivered from"))
    delivered_before = django_filters.DateFilter(method="delivered_until", label=_("delivered until"))
    delivered_days = DaysFilter(method="delivered_ago", label=_("delivered days ago, at least"))
    delivered_days_under = DaysFilter(method="delivered_within", label=_("delivered days ago, fewer than"))
    failed_after = django_filters.DateFilter(method="failed_from", label=_("tried in vain from"))
    sample = django_filters.BooleanFilter(label=_("sample data"))

    class Meta:
        model = Shipment
        fields = [
            "q", "status", "carrier", "country", "created_after", "created_before", "missing", "incomplete",
            "unmapped", "sample",
            "exception", "reason", "late", "late_days", "late_days_under", "due", "silent_days", "silent_days_under",
            "delivered_after", "delivered_before", "delivered_days", "delivered_days_under", "failed_after",
        ]  # fmt: skip

    in_documents: list[int] | None = []
    """Deliveries found by their documents' texts, once the list was asked for; None: too many to be looked up."""

    def search(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        if value.strip():
            self.in_documents = deliveries_with_text(value)
        return narrowed(queryset, value, self.in_documents or ())

    def to_country(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return queryset.filter(destination_country=value.upper())

    @extend_schema_field(OpenApiTypes.DATE)
    def from_day(self, queryset: QuerySet[Shipment], name: str, value: date) -> QuerySet[Shipment]:
        return queryset.filter(created__gte=start_of_day(value))

    @extend_schema_field(OpenApiTypes.DATE)
    def until_day(self, queryset: QuerySet[Shipment], name: str, value: date) -> QuerySet[Shipment]:
        """The day itself is in it."""
        return queryset.filter(created__lt=end_of_day(value))

    def lacks(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        """Expected and not there, whether it is due or not."""
        return queryset.filter(Exists(_open_expectations().filter(document_type=value)))

    def lacks_any(self, queryset: QuerySet[Shipment], name: str, value: bool) -> QuerySet[Shipment]:
        return (
            queryset.filter(Exists(_open_expectations())) if value else queryset.exclude(Exists(_open_expectations()))
        )

    def is_exception(self, queryset: QuerySet[Shipment], name: str, value: bool) -> QuerySet[Shipment]:
        return queryset.filter(attention.exceptions()) if value else queryset.exclude(attention.exceptions())

    @extend_schema_field(OpenApiTypes.DATE)
    def delivered_from(self, queryset: QuerySet[Shipment], name: str, value: date) -> QuerySet[Shipment]:
        return queryset.filter(delivered__isnull=False, delivered__gte=start_of_day(value))

    @extend_schema_field(OpenApiTypes.DATE)
    def delivered_until(self, queryset: QuerySet[Shipment], name: str, value: date) -> QuerySet[Shipment]:
        """The day itself is in it."""
        return queryset.filter(delivered__isnull=False, delivered__lt=end_of_day(value))

    def delivered_ago(self, queryset: QuerySet[Shipment], name: str, value: int) -> QuerySet[Shipment]:
        return queryset.filter(delivered__isnull=False, delivered__lte=attention.days_ago(value))

    def delivered_within(self, queryset: QuerySet[Shipment], name: str, value: int) -> QuerySet[Shipment]:
        return queryset.filter(delivered__isnull=False, delivered__gt=attention.days_ago(value))

    @extend_schema_field(OpenApiTypes.DATE)
    def failed_from(self, queryset: QuerySet[Shipment], name: str, value: date) -> QuerySet[Shipment]:
        """A carrier told of an attempt in vain on that day or later, whatever became of it."""
        return queryset.filter(attention.tried_in_vain(start_of_day(value)))

    def beside(self, queryset: QuerySet[Shipment], name: str, value: object) -> QuerySet[Shipment]:
        """What `attention` says together with others, in `filter_queryset`."""
        return queryset

    def filter_queryset(self, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        return attention.narrowed(super().filter_queryset(queryset), self.form.cleaned_data)


def _open_expectations() -> QuerySet[ExpectedDocument]:
    return ExpectedDocument.objects.filter(shipment=OuterRef("pk"), state__in=OPEN_EXPECTATIONS)


FILTERS: tuple[str, ...] = tuple(ShipmentFilter(queryset=Shipment.objects.none()).filters)
"""The names of all, in the order of the filter bar."""


class MessageFilter(django_filters.FilterSet):
    status = StatusFilter()
    carrier = CarrierFilter()
    language = django_filters.CharFilter(field_name="language", max_length=5, label=_("language"))
    unclassified = django_filters.BooleanFilter(method="without_status", label=_("not classified yet"))
    review = django_filters.BooleanFilter(method="to_review", label=_("classified, not applied"))
    sample = django_filters.BooleanFilter(label=_("sample data"))

    class Meta:
        model = CarrierMessage
        fields = ["status", "carrier", "language", "unclassified", "review", "sample"]

    def without_status(self, queryset: QuerySet[CarrierMessage], name: str, value: bool) -> QuerySet[CarrierMessage]:
        return queryset.filter(status="") if value else queryset.exclude(status="")

    def to_review(self, queryset: QuerySet[CarrierMessage], name: str, value: bool) -> QuerySet[CarrierMessage]:
        waiting = Q(applied=False) & ~Q(status="")
        return queryset.filter(waiting) if value else queryset.exclude(waiting)


class DocumentFilter(django_filters.FilterSet):
    """What the list of documents can be narrowed by. Deleted and rejected ones are found by their state only."""

    q = SearchFilter(method="search", max_length=200, label=_("text, name or delivery"))
    type = django_filters.ChoiceFilter(choices=DocumentType.choices, label=_("type"))
    state = django_filters.ChoiceFilter(choices=DocumentState.choices, label=_("state"))
    carrier = CarrierFilter()
    source = django_filters.ChoiceFilter(choices=DocumentSource.choices, label=_("source"))
    matched = django_filters.BooleanFilter(method="has_delivery", label=_("delivery known"))
    older = django_filters.BooleanFilter(method="with_older", label=_("with older versions"))
    shipment = django_filters.NumberFilter(field_name="shipment_id", label=_("delivery"))
    sample = django_filters.BooleanFilter(label=_("sample data"))

    ranks: dict[int, float] | None = None
    """How well each document fits `q`, once the list was asked for; None: nothing was searched for, or many fit."""

    class Meta:
        model = Document
        fields = ["q", "type", "state", "carrier", "source", "matched", "older", "shipment", "sample"]

    def filter_queryset(self, queryset: QuerySet[Document]) -> QuerySet[Document]:
        found: Any = super().filter_queryset(queryset)
        chosen = self.form.cleaned_data
        if not chosen.get("state"):
            found = found.exclude(state__in=HIDDEN)
        newest: QuerySet[Document] = found if chosen.get("older") else found.filter(superseded=False)
        return newest

    def search(self, queryset: QuerySet[Document], name: str, value: str) -> QuerySet[Document]:
        if not value.strip():
            return queryset
        deliveries = few_ids(value)
        self.ranks = ranked_documents(value, deliveries or ())
        if self.ranks is None:
            return with_text(queryset, value, deliveries or ())
        return with_ids(queryset, self.ranks)

    def has_delivery(self, queryset: QuerySet[Document], name: str, value: bool) -> QuerySet[Document]:
        return queryset.filter(shipment__isnull=not value)

    def with_older(self, queryset: QuerySet[Document], name: str, value: bool) -> QuerySet[Document]:
        return queryset  # see filter_queryset: without it older versions are left out


def chips_of(filters: django_filters.FilterSet) -> list[dict[str, str]]:
    """Each active filter with the address that lacks it."""
    data: Any = filters.data
    chips = []
    for name, entry in filters.filters.items():
        for value in data.getlist(name):
            if not value:
                continue
            rest = data.copy()
            rest.setlist(name, [other for other in data.getlist(name) if other != value])
            rest.pop("cursor", None)
            needed = SORT_NEEDS.get(rest.get("sort", "").lstrip("-"), ())
            if needed and not any(rest.getlist(other) for other in needed):
                rest.pop("sort", None)
            choices = dict(entry.field.choices) if "choices" in entry.extra else {}
            chips.append({"label": f"{entry.label}: {choices.get(value, value)}", "url": f"?{rest.urlencode()}"})
    return chips


def filtered(kind: type[django_filters.FilterSet], queryset: QuerySet[Any], query: Any) -> QuerySet[Any]:
    """What the filters in `query` (a mapping of names to a value or a list) match.

    Raises:
        ValueError: a value is not one the filter knows; names the filters.
    """
    data = QueryDict(mutable=True)
    for name, value in dict(query).items():
        data.setlist(name, [str(part) for part in value] if isinstance(value, list) else [str(value)])
    checked = kind(data, queryset=queryset)
    if not checked.is_valid():
        # A filter that is not understood must never mean "everything".
        raise ValueError(", ".join(checked.errors))
    found: QuerySet[Model] = checked.qs
    return found
