"""The one filter class of each list, used by its page, by the API and by "select all that match"."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from shipments.choices import DocumentState, DocumentType, Status
from shipments.models import Carrier, CarrierMessage, Document, Shipment

SHORTEST_CONTAINS = 3
"""Shorter texts cannot use the trigram index (measured: 950 ms on 8 million rows), so they match from the start only."""


def escape_like(text: str) -> str:
    """`text` for a LIKE pattern, meant literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def search_shipments(queryset: QuerySet[Shipment], text: str) -> QuerySet[Shipment]:
    """Tracking number, reference or customer; "contains" from three characters on, else by the start of the number.

    ILIKE is written out: Django's `icontains` compiles to UPPER(), which no index of ours serves.
    """
    text = text.strip().replace("\0", "")
    if not text:
        return queryset
    if len(text) < SHORTEST_CONTAINS:
        return queryset.filter(Q(tracking_number__startswith=text) | Q(tracking_number__startswith=text.upper()))
    pattern = f"%{escape_like(text)}%"
    table = Shipment._meta.db_table
    condition = " OR ".join(f'"{table}"."{column}" ILIKE %s' for column in ("tracking_number", "reference", "customer"))
    return queryset.extra(where=[f"({condition})"], params=[pattern] * 3)  # noqa: S610  # fixed text, bound values


def search_is_short(text: str) -> bool:
    return 0 < len(text.strip()) < SHORTEST_CONTAINS


class CarrierFilter(django_filters.ModelChoiceFilter):
    """`?carrier=` by code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Carrier.objects.all(), to_field_name="code", label=_("carrier"), **kwargs)


class ShipmentFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search", label=_("number, reference or customer"))
    status = django_filters.MultipleChoiceFilter(choices=Status.choices, label=_("status"))
    carrier = CarrierFilter()
    country = django_filters.CharFilter(method="to_country", max_length=2, label=_("country"))
    created_after = django_filters.DateFilter(field_name="created", lookup_expr="date__gte", label=_("ordered from"))
    created_before = django_filters.DateFilter(field_name="created", lookup_expr="date__lte", label=_("ordered until"))
    missing = django_filters.ChoiceFilter(choices=DocumentType.choices, method="lacks", label=_("without document"))
    sample = django_filters.BooleanFilter(label=_("sample data"))

    class Meta:
        model = Shipment
        fields = ["q", "status", "carrier", "country", "created_after", "created_before", "missing", "sample"]

    def search(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return search_shipments(queryset, value)

    def to_country(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return queryset.filter(destination_country=value.upper())

    def lacks(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        having = Document.objects.filter(type=value, state=DocumentState.STORED, shipment__isnull=False)
        return queryset.exclude(pk__in=having.values("shipment"))


class MessageFilter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=Status.choices, label=_("status"))
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
