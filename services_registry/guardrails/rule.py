"""What a rule is, and how the rules are found: every module under `rules/` holds one class."""

from __future__ import annotations

import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext_lazy as _

from core import charts
from services_registry.choices import Severity
from services_registry.guardrails.facts import Measured

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

RULES = "services_registry.guardrails.rules"
Evidence = dict[str, Any]
Limits = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit with the value that holds until an administrator enters another, and where that comes from."""

    name: str
    label: _StrOrPromise
    default: Decimal
    since: date
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule says about a function now. `evidence` holds plain JSON: numbers, days, sample size, limits used."""

    severity: Severity
    measure: float
    evidence: Evidence
    money_usd: Decimal | None = None
    sample: bool = False


COMPANY = "decided with the company's history in mind; change it to what suits you"
WORSE = Threshold(
    "worse_factor",
    _("a snooze ends early when it gets so many times worse"),
    Decimal("1.5"),
    date(2026, 11, 24),
    COMPANY,
)


class Rule(ABC):
    """One thing that can be wrong with a function. `look` judges; the other methods put its evidence into words."""

    slug: ClassVar[str]
    title: ClassVar[_StrOrPromise]
    why: ClassVar[_StrOrPromise]
    advice: ClassVar[Sequence[_StrOrPromise]]
    thresholds: ClassVar[Sequence[Threshold]] = ()
    question: ClassVar[_StrOrPromise] = ""
    """Title of the chart."""
    after_timeouts: ClassVar[bool] = False
    """Whether it looks again as soon as time-outs came in."""
    stopping_helps: ClassVar[bool] = False
    """Whether its page offers to stop the function."""

    @abstractmethod
    def look(self, facts: Measured, limits: Limits) -> Found | None:
        """None when nothing is wrong, or when too little was measured to say so."""

    @abstractmethod
    def sentence(self, evidence: Evidence) -> str:
        """What is wrong, with its numbers, in one sentence."""

    @abstractmethod
    def rows(self, evidence: Evidence) -> list[tuple[_StrOrPromise, str]]:
        """The numbers behind it, each with its label."""

    def figure(self, evidence: Evidence) -> charts.Figure | None:
        """The evidence as a chart; None: there is nothing to draw."""
        return None

    @property
    def all_thresholds(self) -> Sequence[Threshold]:
        return [*self.thresholds, WORSE]


@lru_cache(maxsize=1)
def rules() -> dict[str, Rule]:
    """Every rule by its slug, in the order of their modules."""
    package = import_module(RULES)
    found: dict[str, Rule] = {}
    for entry in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{RULES}.{entry.name}")
        for _name, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Rule) and kind.__module__ == module.__name__:
                found[kind.slug] = kind()
    return found
