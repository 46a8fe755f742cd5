"""What the completeness board can be narrowed by: the same on the page, over the API, and for "all that match"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import OPEN_EXPECTATIONS, DocumentType, ExpectedState, Obtain, Turn
from shipments.models import Carrier, ExpectedDocument

AGES: dict[str, tuple[Any, timedelta | None, timedelta | None]] = {
    # name: (label, due at least so long ago, due less than so long ago)
    "not_due": (_("not due yet"), None, timedelta(0)),
    "day": (_("under 1 day late"), timedelta(0), timedelta(days=1)),
    "days": (_("1 to 3 days"), timedelta(days=1), timedelta(days=3)),
    "week": (_("3 to 7 days"), timedelta(days=3), timedelta(days=7)),
    "older": (_("over 7 days"), timedelta(days=7), None),
}
AGE_CHOICES = [(name, label) for name, (label, _from, _to) in AGES.items()]
LATE = tuple(name for name in AGES if name != "not_due")


def age_bounds(name: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Due after the first (not at it), and at or before the second."""
    _label, least, most = AGES[name]
    return (now - most if most is not None else None), (now - least if least is not None else None)


class StatesFilter(django_filters.MultipleChoiceFilter):
    """Any of several states; without any, those that are open."""

    def __init__(self) -> None:
        super().__init__(choices=ExpectedState.choices, distinct=False, label=_("state"))

    def filter(self, queryset: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return queryset.filter(state__in=value or OPEN_EXPECTATIONS)


class IdsFilter(django_filters.BaseInFilter, django_filters.NumberFilter):
    """Numbers with commas between."""


class ExpectedFilter(django_filters.FilterSet):
    """Without a state: what is open."""

    q = django_filters.CharFilter(method="numbered", max_length=40, label=_("tracking number"))
    carrier = django_filters.ModelChoiceFilter(queryset=Carrier.objects.all(), to_field_name="code", label=_("carrier"))
    type = django_filters.ChoiceFilter(field_name="document_type", choices=DocumentType.choices, label=_("document"))
    age = django_filters.ChoiceFilter(choices=AGE_CHOICES, method="aged", label=_("age"))
    late = django_filters.BooleanFilter(method="due_by_now", label=_("late"))
    state = StatesFilter()
    turn = django_filters.ChoiceFilter(choices=Turn.choices, label=_("whose turn"))
    obtain = django_filters.ChoiceFilter(choices=Obtain.choices, label=_("how it is got"))
    shipment = django_filters.NumberFilter(field_name="shipment_id", label=_("delivery"))
    ids = IdsFilter(field_name="id", lookup_expr="in", label=_("rows"))
    sample = django_filters.BooleanFilter(label=_("sample data"))

    class Meta:
        model = ExpectedDocument
        fields = ["q", "carrier", "type", "age", "late", "state", "turn", "obtain", "shipment", "ids", "sample"]

    def numbered(self, queryset: QuerySet[ExpectedDocument], name: str, value: str) -> QuerySet[ExpectedDocument]:
        """The whole number: that is one look into an index."""
        text = value.strip().replace("\0", "")
        return queryset.filter(shipment__tracking_number__in={text, text.upper()}) if text else queryset

    def aged(self, queryset: QuerySet[ExpectedDocument], name: str, value: str) -> QuerySet[ExpectedDocument]:
        after, until = age_bounds(value, timezone.now())
        queryset = queryset.filter(due__gt=after) if after is not None else queryset
        return queryset.filter(due__lte=until) if until is not None else queryset

    def due_by_now(self, queryset: QuerySet[ExpectedDocument], name: str, value: bool) -> QuerySet[ExpectedDocument]:
        now = timezone.now()
        return queryset.filter(due__lte=now) if value else queryset.filter(due__gt=now)
