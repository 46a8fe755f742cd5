"""The search box of the batch list: words of the title, and terms like `state:failed` or `shipment:1Z999`.

The same text means the same on the page and in the API. What cannot be understood is said, never left out: a mistyped
term must not look like "everything matches". Terms of one kind widen the search, terms of different kinds narrow it;
words, `after:` and `before:` always narrow.
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from core.like import contains
from services_registry import capabilities
from services_registry.choices import OPEN_BATCHES, BatchState
from services_registry.models import Batch, BatchItem

PLAIN_RUN = "run"
SOURCES = ("page", "api", "schedule", "admin", "command", "system")
MOST_TERMS = 20
MOST_BATCHES = 2_000
NEWEST = 5_000
SHORTEST_ID = 8
"""Fewer letters of an id may just as well be a word."""
_TERM = re.compile(r'(?:(?P<name>[a-zA-Z_]+):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))|(?P<odd>\S)')
_AGO = re.compile(r"(\d{1,4})([mhdw])")
_ID = re.compile(r"[0-9a-f]{4,32}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
STATES: dict[str, Q] = {
    **{value: Q(state=value) for value in BatchState.values},
    "finished": Q(state=BatchState.DONE),
    "open": Q(state__in=OPEN_BATCHES),
    "failed": Q(failed__gt=0),
}
EXAMPLES = (
    "state:failed after:7d",
    "state:running",
    'function:shipments-* by:"ana lopez"',
    "shipment:1Z999AA10123456784",
    "work:render_pdf on:2026-11-23",
    'source:schedule "proofs of delivery"',
)


class SearchProblem(ValueError):
    """One term makes no sense; the message says why and what is possible."""


@dataclass(frozen=True, slots=True)
class Term:
    """`name` is empty for a word of the title. `text` is the term as it was written."""

    name: str
    value: str
    text: str


@dataclass(slots=True)
class Search:
    """A text that was understood, as far as that is possible without asking the database."""

    terms: list[Term]
    person: str = ""
    notes: list[str] = field(default_factory=list)

    def without(self, term: Term) -> str:
        """The text that lacks one term."""
        return " ".join(other.text for other in self.terms if other is not term)

    def apply(self, batches: QuerySet[Batch]) -> QuerySet[Batch]:
        """The batches that match. `notes` then says which terms can match nothing, and why."""
        widening: dict[str, Q] = defaultdict(Q)
        for term in self.terms:
            if term.name in ("", "after", "before"):
                batches = _narrowed(batches, term)
            elif term.name == "shipment":
                widening["shipment"] |= self._about(term)
            else:
                widening[term.name] |= _CONDITIONS[term.name](self._own(term))
        for condition in widening.values():
            batches = batches.filter(condition)
        return batches

    def _own(self, term: Term) -> str:
        return self.person if (term.name, term.value.lower()) == ("by", "me") else term.value

    def _about(self, term: Term) -> Q:
        """Batches with an item that some capability knows under this name."""
        items = Q()
        for kind in capabilities.all_capabilities():
            if keys := kind.find(term.value):
                items |= Q(key__in=keys, batch__capability=kind.slug)
        if not items:
            self.notes.append(_("No delivery has exactly the number or reference “%(text)s”.") % {"text": term.value})
            return Q(pk__in=[])
        # The limit keeps the planner from turning the question round: it starts from the items, by the index on the key.
        found = BatchItem.objects.filter(items).order_by().values("batch").distinct()[:MOST_BATCHES]
        return Q(pk__in=found)


def parse(text: str, person: str = "") -> Search:
    """Read the text of the search box; `person` is who `by:me` means.

    Raises:
        SearchProblem: its arguments are one sentence for each term that makes no sense.
    """
    terms: list[Term] = []
    problems: list[str] = []
    for found in _TERM.finditer(text.replace("\0", " ")):
        try:
            terms.append(_term(found))
        except SearchProblem as problem:
            problems.append(str(problem))
    if len(terms) > MOST_TERMS:
        problems.append(_("At most %(most)s terms, please.") % {"most": MOST_TERMS})
    if problems:
        raise SearchProblem(*problems)
    return Search(terms, person)


def _term(found: re.Match[str]) -> Term:
    name, value = (found["name"] or "").lower(), found["quoted"] if found["quoted"] is not None else found["bare"]
    text = found[0]
    if found["odd"]:
        raise SearchProblem(_('A quotation mark (") is left open. Close it, or leave it out.'))
    if not name and value and value.endswith(":") and value[:-1].lower() in NAMES:
        raise SearchProblem(_("“%(text)s” needs a value right after the colon.") % {"text": value})
    if name and name not in NAMES:
        raise SearchProblem(
            _(
                "There is no search term “%(name)s:”. Possible: %(known)s. To find these words in a title, write %(quoted)s."
            )
            % {"name": name, "known": ", ".join(f"{known}:" for known in NAMES), "quoted": f'"{text}"'}
        )
    if name and not value.strip():
        raise SearchProblem(_("“%(text)s” needs a value right after the colon.") % {"text": f"{name}:"})
    if name:
        _CHECKS[name](value)
    return Term(name, value, text)


def _narrowed(batches: QuerySet[Batch], term: Term) -> QuerySet[Batch]:
    if term.name == "after":
        return batches.filter(created__gte=_moment(term.value))
    if term.name == "before":
        return batches.filter(created__lt=_moment(term.value))
    return _titled(batches, term.value)


def newest_called(text: str) -> QuerySet[Batch]:
    """For the search box of the whole platform: by title among the newest 5,000, or by how the id begins."""
    if _ID.fullmatch(text.lower().replace("-", "")) and len(text) >= SHORTEST_ID:
        return Batch.objects.filter(_id(text)).order_by("-created", "-id")
    newest = Batch.objects.order_by("-created", "-id").values("pk")[:NEWEST]
    return _titled(Batch.objects.filter(pk__in=newest), text).order_by("-created", "-id")


def _titled(batches: QuerySet[Batch], words: str) -> QuerySet[Batch]:
    # ILIKE written out: Django's `icontains` compiles to UPPER(), which no trigram index serves.
    where = f'"{Batch._meta.db_table}"."title" ILIKE %s'
    return batches.extra(where=[where], params=[contains(words)])  # noqa: S610  # fixed text, bound value


def _pattern(column: str, value: str, *, any_case: bool = False) -> Q:
    """Exactly the value, or with `*` for anything."""
    if "*" not in value:
        return Q(**{f"{column}__iexact" if any_case else column: value})
    pattern = "^" + ".*".join(re.escape(part) for part in value.split("*")) + "$"
    return Q(**{f"{column}__iregex" if any_case else f"{column}__regex": pattern})


def _function(value: str) -> Q:
    head, star, rest = value.partition("*")
    if star and not rest.strip("*"):
        return Q(function_name__startswith=head)
    return _pattern("function_name", value)


def _id(value: str) -> Q:
    """A whole id, or how it begins: a range, which the primary key serves."""
    digits = value.lower().replace("-", "")
    return Q(pk__gte=uuid.UUID(digits.ljust(32, "0")), pk__lte=uuid.UUID(digits.ljust(32, "f")))


def _day(value: str) -> Q:
    start = _start_of_day(value)
    return Q(created__gte=start, created__lt=_start_of_day(value, days=1))


def _start_of_day(value: str, days: int = 0) -> datetime:
    """The first moment of a day in the reader's zone; "today" and "yesterday" are days too."""
    known = {"today": timezone.localdate(), "yesterday": timezone.localdate() - timedelta(days=1)}
    try:
        day = known.get(value.lower()) or parse_date(value)
        if day is None:
            raise SearchProblem(_not_a_date(value))
        zone = timezone.get_current_timezone()
        return datetime.combine(day + timedelta(days=days), time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SearchProblem(_not_a_date(value)) from error


def _moment(value: str) -> datetime:
    if ago := _AGO.fullmatch(value.lower()):
        return timezone.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    return _start_of_day(value)


def _not_a_date(value: str) -> str:
    return _(
        "“%(value)s” is not a date. Write 2026-11-23, today, yesterday, or with after: and before: also 7d, 24h."
    ) % {"value": value}


def _one_of(name: str, possible: Callable[[], list[str]]) -> Callable[[str], object]:
    def check(value: str) -> None:
        if value.lower() not in possible():
            raise SearchProblem(
                _("“%(name)s:%(value)s” is not known. Possible: %(known)s.")
                % {"name": name, "value": value, "known": ", ".join(possible())}
            )

    return check


def _check_id(value: str) -> None:
    if not _ID.fullmatch(value.lower().replace("-", "")):
        raise SearchProblem(
            _("“%(value)s” is not how the id of a batch begins: at least 4 of 0-9, a-f.") % {"value": value}
        )


def work_names() -> list[str]:
    """What `work:` can mean; plain runs have no capability."""
    return [*(kind.slug for kind in capabilities.all_capabilities()), PLAIN_RUN]


def by_work(value: str) -> Q:
    return Q(capability="" if value.lower() == PLAIN_RUN else value.lower())


def by_person(value: str) -> Q:
    return _pattern("created_by_name", value, any_case=True)


_CHECKS: dict[str, Callable[[str], object]] = {
    "state": _one_of("state", lambda: list(STATES)),
    "function": lambda value: None,
    "work": _one_of("work", work_names),
    "by": lambda value: None,
    "shipment": lambda value: None,
    "source": _one_of("source", lambda: list(SOURCES)),
    "on": _start_of_day,
    "after": _moment,
    "before": _moment,
    "id": _check_id,
}
_CONDITIONS: dict[str, Callable[[str], Q]] = {
    "state": lambda value: STATES[value.lower()],
    "function": _function,
    "work": by_work,
    "by": by_person,
    "source": lambda value: Q(source=value.lower()),
    "on": _day,
    "id": _id,
}
NAMES = tuple(_CHECKS)
"""The terms that there are, in the order in which the help names them."""
