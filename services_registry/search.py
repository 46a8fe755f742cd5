"""Functions and batches in the global search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.slots import SearchHit, SearchProvider, search_providers
from services_registry.batch_search import newest_called
from services_registry.models import Function
from services_registry.selectors import search_functions

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


def _functions(text: str, user: AbstractBaseUser | AnonymousUser, limit: int) -> Sequence[SearchHit]:
    found = search_functions(Function.objects.order_by("name"), text)[:limit]
    return [
        SearchHit(function.name, reverse("function-detail", args=[function.pk]), _("Functions"), function.description)
        for function in found
    ]


def _batches(text: str, user: AbstractBaseUser | AnonymousUser, limit: int) -> Sequence[SearchHit]:
    return [
        SearchHit(
            batch.title,
            reverse("batch-detail", args=[batch.pk]),
            _("Batches"),
            f"{batch.created:%Y-%m-%d %H:%M} UTC, {batch.created_by_name}, {batch.get_state_display()}",
        )
        for batch in newest_called(text)[:limit]
    ]


search_providers.register(SearchProvider(kind=_("Functions"), search=_functions, order=20))
search_providers.register(SearchProvider(kind=_("Batches"), search=_batches, order=30))
