"""From the number in a path to the delivery: of all numbers a path may hold, the one that the carrier's deliveries have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from shipments.functions.fetch_documents.patterns import PathPattern
from shipments.functions.runtime.errors import ItemError
from shipments.models import CarrierConnection, Shipment

AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Match:
    """`shipment` is a delivery's id. Without one, `why` says so in words; `number` is the best guess then."""

    number: str
    shipment: int | None = None
    why: str = ""


def pattern_of(connection: CarrierConnection) -> PathPattern:
    """Raises ItemError("BadPattern") for one that cannot work."""
    return PathPattern(connection.directory, connection.pattern, connection.document_type)


def pattern_problem(connection: CarrierConnection) -> str:
    """Why the pattern cannot work; empty when it can."""
    try:
        pattern_of(connection)
    except ItemError as error:
        return error.message
    return ""


def match_all(carrier_id: int, numbers: Mapping[str, Sequence[str]]) -> dict[str, Match]:
    """For each key its match, given the numbers it may be of, the likeliest first. One question for 5,000 numbers."""
    known = _known(carrier_id, {number for each in numbers.values() for number in each})
    return {key: _choose(each, known) for key, each in numbers.items()}


def _known(carrier_id: int, numbers: Iterable[str]) -> dict[str, int]:
    """Deliveries by number; a number in small letters also finds the one in capitals."""
    spelled = sorted({spelling for number in numbers for spelling in (number, number.upper())})
    known: dict[str, int] = {}
    for start in range(0, len(spelled), AT_ONCE):
        rows = Shipment.objects.filter(carrier=carrier_id, tracking_number__in=spelled[start : start + AT_ONCE])
        known.update(rows.order_by().values_list("tracking_number", "pk"))
    return known


def _choose(numbers: Sequence[str], known: Mapping[str, int]) -> Match:
    found = {number: pk for number in numbers if (pk := known.get(number) or known.get(number.upper())) is not None}
    if not numbers:
        return Match("", why=_("No tracking number is in its name."))
    if not found:
        return Match(numbers[0][:40], why=_("No delivery of this carrier has the number."))
    longest = max(found, key=len)
    others = [number for number, pk in found.items() if number.lower() not in longest.lower() and pk != found[longest]]
    if others:
        listed = ", ".join([longest, *others][:3])
        return Match(longest, why=_("Several deliveries fit its name: %(numbers)s.") % {"numbers": listed})
    return Match(longest, found[longest])
