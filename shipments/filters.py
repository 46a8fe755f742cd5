"""The one filter class of each list, used by its page, by the API and by "select all that match"."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from shipments.choices import DocumentState, DocumentType, Status
from shipments.listing.search import SHORTEST, narrowed
from shipments.models import Carrier, CarrierMessage, Document, Shipment

LIST_ONLY = frozenset({"cursor", "sort", "columns", "view", "page_size", "fields", "csrfmiddlewaretoken"})
"""Parts of a list's address that say how it is shown, not what is in it."""


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


class SearchFilter(django_filters.CharFilter):
    field_class = SearchField


def start_of_day(day: date) -> datetime:
    """In the person's time zone. A moment can be compared by index; `created::date` cannot."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


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

    q = SearchFilter(method="search", max_length=100, label=_("number, reference or customer"))
    status = StatusFilter()
    carrier = CarrierFilter()
    country = django_filters.CharFilter(method="to_country", max_length=2, label=_("country"))
    created_after = django_filters.DateFilter(method="from_day", label=_("ordered from"))
    created_before = django_filters.DateFilter(method="until_day", label=_("ordered until"))
    missing = django_filters.ChoiceFilter(choices=DocumentType.choices, method="lacks", label=_("without document"))
    unmapped = django_filters.BooleanFilter(label=_("code not mapped"))
    sample = django_filters.BooleanFilter(label=_("sample data"))

    class Meta:
        model = Shipment
        fields = [
            "q", "status", "carrier", "country", "created_after", "created_before", "missing", "unmapped", "sample",
        ]  # fmt: skip

    def search(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return narrowed(queryset, value)

    def to_country(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return queryset.filter(destination_country=value.upper())

    @extend_schema_field(OpenApiTypes.DATE)
    def from_day(self, queryset: QuerySet[Shipment], name: str, value: date) -> QuerySet[Shipment]:
        return queryset.filter(created__gte=start_of_day(value))

    @extend_schema_field(OpenApiTypes.DATE)
    def until_day(self, queryset: QuerySet[Shipment], name: str, value: date) -> QuerySet[Shipment]:
        """The day itself is in it."""
        return queryset.filter(created__lt=start_of_day(min(value, date.max - timedelta(days=1)) + timedelta(days=1)))

    def lacks(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        having = Document.objects.filter(type=value, state=DocumentState.STORED, shipment=OuterRef("pk"))
        return queryset.exclude(Exists(having))


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
    type = django_filters.ChoiceFilter(choices=DocumentType.choices, label=_("type"))
    state = django_filters.ChoiceFilter(choices=DocumentState.choices, label=_("state"))
    carrier = django_filters.ModelChoiceFilter(
        field_name="shipment__carrier", queryset=Carrier.objects.all(), to_field_name="code", label=_("carrier")
    )
    shipment = django_filters.NumberFilter(field_name="shipment_id", label=_("delivery"))

    class Meta:
        model = Document
        fields = ["type", "state", "carrier", "shipment"]


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
            choices = dict(getattr(entry.field, "choices", [])) if "choices" in entry.extra else {}
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
