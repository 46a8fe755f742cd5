"""A page and an API route must not share a name: `{% url %}` would lead people to JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver, reverse


def _names(resolver: URLResolver) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            if not entry.namespace:
                yield from _names(entry)
        elif isinstance(entry, URLPattern) and entry.name:
            yield entry.name


def test_every_url_name_is_used_once() -> None:
    counted = Counter(_names(get_resolver()))
    assert {name: number for name, number in counted.items() if number > 1} == {}


def test_delivery_links_lead_to_pages() -> None:
    assert reverse("shipment-detail", args=[1]).startswith("/deliveries/")
    assert reverse("document-list").startswith("/documents/")
