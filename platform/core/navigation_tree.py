"""The left navigation: entries of all apps, in five groups, as one person may see them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core import slots
from core.slots import NavEntry

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

logger = logging.getLogger(__name__)

PRODUCT = "Shipment platform"

GROUPS: dict[str, _StrOrPromise] = {
    "home": _("Home"),
    "deliveries": _("Deliveries"),
    "batches": _("Batches"),
    "functions": _("Functions"),
    "costs": _("Costs"),
    "admin": _("Administration"),
}


@dataclass(slots=True)
class NavLink:
    label: _StrOrPromise
    url: str
    icon: str
    active: bool = False


@dataclass(slots=True)
class NavGroup:
    name: str
    label: _StrOrPromise
    links: list[NavLink] = field(default_factory=list)


def navigation_html(request: HttpRequest) -> SafeString:
    """The navigation as this person sees it on this page.

    It differs by what a person may and by which entry is active, so each of these few is written once in a process.
    """
    user = getattr(request, "user", None)
    entries = [
        entry for entry in slots.navigation if not entry.permission or (user and user.has_perm(entry.permission))
    ]
    names = tuple(entry.url_name for entry in entries)
    return _written(names, _active(entries, request.path), get_language() or "")


@lru_cache(maxsize=256)
def _written(names: tuple[str, ...], active: str, language: str) -> SafeString:
    groups = groups_of((entry for entry in slots.navigation if entry.url_name in names), active)
    return render_to_string("core/_navigation.html", {"navigation": groups, "product": PRODUCT})


def groups_of(entries: Iterable[NavEntry], active: str) -> list[NavGroup]:
    """Groups with at least one entry."""
    groups = {name: NavGroup(name, label) for name, label in GROUPS.items()}
    for entry in entries:
        url = address_of(entry.url_name)
        if url:
            group = groups.setdefault(entry.group, NavGroup(entry.group, entry.group.title()))
            group.links.append(NavLink(entry.label, url, entry.icon, active=url == active))
    return [group for group in groups.values() if group.links]


def _active(entries: Iterable[NavEntry], path: str) -> str:
    """The longest address of an entry that the page is at or under; empty when there is none."""
    addresses = (address_of(entry.url_name) for entry in entries)
    fitting = [
        url for url in addresses if path == url or (url not in {"", "/"} and path.startswith(f"{url.rstrip('/')}/"))
    ]
    return max(fitting, key=len, default="")


@cache
def address_of(url_name: str) -> str:
    """The address of a page without arguments; empty when there is no such page, which the log says once."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        logger.warning("no page of this name url_name=%s", url_name)
        return ""
