"""Slots: what the platform offers and apps fill, so that nothing in the platform needs to know an app.

An app fills a slot in a module named after it (`navigation.py`, `home.py`, `search.py`, `health.py`, `setup.py`,
`sample.py`, `webhooks.py`), discovered at start-up as Django's admin discovers `admin.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from django.utils.module_loading import autodiscover_modules

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.utils.functional import _StrOrPromise

MODULES = ("navigation", "home", "search", "health", "setup", "sample", "webhooks")


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A line of the left navigation."""

    group: str  # home, deliveries, batches, functions, costs, admin
    label: _StrOrPromise
    url_name: str
    icon: str  # name of a symbol in the icon sprite
    order: int = 100
    permission: str = ""


@dataclass(frozen=True, slots=True)
class HomePanel:
    """A panel of the home page: an htmx fragment that one app serves, so that a failing one hurts only itself."""

    title: _StrOrPromise
    url_name: str
    order: int = 100
    width: int = 6  # of 12 columns
    tall: bool = False  # keeps more room while it loads, so that nothing jumps
    permission: str = ""


@dataclass(frozen=True, slots=True)
class AlertBadge:
    """A count in the top bar that is never hidden (open incidents): an htmx fragment, empty when there is none."""

    url_name: str
    order: int = 100
    permission: str = ""


@dataclass(frozen=True, slots=True)
class SearchHit:
    title: str
    url: str
    kind: _StrOrPromise
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SearchProvider:
    """Answers the search box. `search(text, user, limit)` must be bounded and fast (no uncapped scans)."""

    kind: _StrOrPromise
    search: Callable[[str, AbstractBaseUser | AnonymousUser, int], Sequence[SearchHit]]
    order: int = 100


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`check()` returns a short sentence when all is well and raises otherwise. It must end within two seconds."""

    name: str
    check: Callable[[], str]
    critical: bool = True


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A step of the first start (or of every start): must be safe to run twice. `run(log)` reports by `log(text)`."""

    name: str
    run: Callable[[Callable[[str], None]], None]
    order: int = 100
    sample_only: bool = False


@dataclass(frozen=True, slots=True)
class WebhookEventKind:
    """A kind of event that tools can subscribe to; the app tells of it by `core.webhooks.emit`."""

    type: str  # for example shipment.status_changed
    label: _StrOrPromise


@dataclass(frozen=True, slots=True)
class RolePermission:
    """A permission of an app that a role below admin has; admins have all."""

    role: str
    permission: str  # app_label.codename


T = TypeVar(
    "T", NavEntry, HomePanel, AlertBadge, SearchProvider, HealthCheck, SetupStep, WebhookEventKind, RolePermission
)


@dataclass(slots=True)
class Slot(Generic[T]):
    """An ordered set of things registered at start-up."""

    _filled: list[T] = field(default_factory=list)

    def register(self, *things: T) -> None:
        for thing in things:
            if thing not in self._filled:
                self._filled.append(thing)

    def __iter__(self) -> Iterator[T]:
        return iter(sorted(self._filled, key=lambda thing: getattr(thing, "order", 100)))


navigation: Slot[NavEntry] = Slot()
home_panels: Slot[HomePanel] = Slot()
alerts: Slot[AlertBadge] = Slot()
search_providers: Slot[SearchProvider] = Slot()
health_checks: Slot[HealthCheck] = Slot()
setup_steps: Slot[SetupStep] = Slot()
webhook_events: Slot[WebhookEventKind] = Slot()
role_permissions: Slot[RolePermission] = Slot()


def discover() -> None:
    """Import the slot modules of all installed apps."""
    autodiscover_modules(*MODULES)
