"""What a carrier's message means: status, reason, language and an English gist, with a confidence that was measured.

Order: 1. a code with a public, plain meaning; 2. the text; 3. a code that is itself words (OUT_FOR_DELIVERY);
4. a code that only hints. docs/classification.md tells how the numbers were measured.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from shipments.functions.classify_messages.codes import CodeMeaning, Codes
from shipments.functions.classify_messages.language import Languages
from shipments.functions.classify_messages.lexicon import Hit, Lexicon
from shipments.functions.classify_messages.rules import CONFIDENCE, Rule, first, load_rules
from shipments.functions.classify_messages.text import Part, parts

APPLY_FROM = 0.88
"""Confidence from which a decision is applied without a person; docs/classification.md has the measured precision."""
LONGEST_GIST = 300
_CODE_CONFIDENCE = {True: 0.96, False: 0.6}
_DOUBT_CONFLICT = 0.08
_PROBLEMS = frozenset({"delivery_failed", "delivery_delayed", "on_hold", "return_to_sender", "cancelled"})
_MOVING = frozenset({"pending", "picked_up", "in_transit", "out_for_delivery"})
_BEFORE_MOVING = frozenset({"pending", "picked_up"})
_YIELDING = frozenset({"c", "d"})
_DELIVERED_REASONS = frozenset({"carrier_damaged_parcel"})


@dataclass(frozen=True, slots=True)
class Decision:
    """One message decided.

    `status` and `reason` are Karrio's values, `reason` may be empty, `confidence` is 0-1, `language` an ISO 639 code
    ("und" when nothing tells), `translation` an English gist, `decided_by` one of code, text, code-text, code-hint and
    none.
    """

    status: str
    reason: str
    confidence: float
    applied: bool
    language: str
    translation: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the text alone says."""

    status: str
    reason: str
    confidence: float
    language: str
    gist: str


class Classifier:
    """The loaded vocabulary, rules and codes; loading takes about 0.1 s, so make one and keep it (`shared`)."""

    def __init__(self) -> None:
        self.lexicon = Lexicon()
        self.languages = Languages()
        self.codes = Codes()
        self.status_rules, self.reason_rules = load_rules(self.lexicon)
        self._rules_by_mask: dict[int, Rule | None] = {}

    def decide(self, carrier: str, carrier_code: str, message: str) -> Decision:
        """The decision for one message. Never raises for any text."""
        meaning = self.codes.meaning(carrier, carrier_code)
        reading = self.read(message)
        if meaning and meaning.plain:
            return _from_code(meaning, reading, message, "code", strong=True)
        if reading.confidence > CONFIDENCE["c"]:
            return _from_text(reading, message, "text")
        worded = self.read(carrier_code) if len(carrier_code) > 5 and not carrier_code.isdigit() else None
        if worded and worded.confidence > CONFIDENCE["c"]:
            said = _Reading(
                worded.status, reading.reason or worded.reason, worded.confidence, reading.language, worded.gist
            )
            return _from_text(said, message, "code-text")
        if meaning and reading.status == "unknown":
            return _from_code(meaning, reading, message, "code-hint", strong=False)
        if reading.status != "unknown" or not worded or worded.status == "unknown":
            return _from_text(reading, message, "text" if reading.status != "unknown" else "none")
        return _from_text(worded, message, "code-text")

    def read(self, message: str) -> _Reading:
        """What the text says; status "unknown" with confidence 0 when the vocabulary finds nothing."""
        found = parts(message)
        hits = [self.lexicon.find(part.words) for part in found]
        words = [word for part in found for word in part.words]
        language, sure = self.languages.identify(message[:2_000], words, [hit for group in hits for hit in group])
        masks = [self.lexicon.mask(group, language, sure=sure) for group in hits]
        rule, doubt = self._status(found, masks)
        if rule is None:
            return _Reading("unknown", "", 0.0, language, "")
        whole = 0
        for mask in masks:
            whole |= mask
        reason = self._reason(rule, whole)
        confidence = rule.confidence - doubt - _thin(words, hits)
        return _Reading(rule.value, reason, round(max(confidence, 0.3), 3), language, _gist(rule, reason))

    def _status(self, found: list[Part], masks: list[int]) -> tuple[Rule | None, float]:
        """The rule that decides and how much to doubt it: the first thing said, unless what follows must correct it."""
        best: Rule | None = None
        headline = False
        doubt = 0.0
        for part, mask in zip(found, masks, strict=True):
            rule = self._first(mask)
            if rule is None:
                continue
            if best is None:
                best, headline = rule, part.header
            elif _corrects(rule, best, headline=headline, aside=part.aside):
                doubt = 0.0 if rule.value == best.value or best.strength in _YIELDING else _DOUBT_CONFLICT
                best = rule
            elif rule.value != best.value and not headline and rule.strength == "a":
                doubt = _DOUBT_CONFLICT
        return best, doubt

    def _first(self, mask: int) -> Rule | None:
        if mask in self._rules_by_mask:
            return self._rules_by_mask[mask]
        if len(self._rules_by_mask) > 50_000:
            self._rules_by_mask.clear()
        rule = self._rules_by_mask[mask] = first(self.status_rules, mask)
        return rule

    def _reason(self, rule: Rule, mask: int) -> str:
        if rule.value not in _PROBLEMS and rule.value != "delivered":
            return ""
        reason = first(self.reason_rules, mask)
        if reason is None or (rule.value == "delivered" and reason.value not in _DELIVERED_REASONS):
            return ""
        return reason.value


def _corrects(later: Rule, earlier: Rule, *, headline: bool, aside: bool) -> bool:
    """Whether a later part of a message decides in place of an earlier one.

    Carriers state the event first and then advise or explain. Exceptions: a vague start; a return, which ends every
    story; a problem explained under the headline of a mere movement; a delivery after damage or delay; on its way after
    accepted.
    """
    if earlier.strength in _YIELDING:
        return later.strength not in _YIELDING or (earlier.strength == "c" and later.strength == "d")
    if later.strength in _YIELDING:
        return False
    if headline:
        return earlier.value in _MOVING and later.value in _PROBLEMS
    if later.value == "return_to_sender":
        return earlier.value != "delivered"
    if later.value == "delivered":
        return not aside and later.strength == "a" and earlier.strength == "b" and earlier.value in _PROBLEMS
    return not aside and earlier.value in _BEFORE_MOVING and later.value in {"in_transit", "out_for_delivery"}


def _thin(words: list[str], hits: list[list[Hit]]) -> float:
    """Doubt for a long text of which little was understood."""
    if len(words) < 8:
        return 0.0
    understood = sum(hit.end - hit.start for group in hits for hit in group)
    return 0.1 if understood / len(words) < 0.2 else 0.0


def _gist(rule: Rule, reason: str) -> str:
    detail = reason.partition("_")[2].replace("_", " ") if reason else ""
    return f"{rule.gist} ({detail})" if detail and detail not in rule.gist else rule.gist


def _translation(language: str, message: str, gist: str) -> str:
    """English passes through with its white space tidied; other languages get the gist of what was understood."""
    if language != "en":
        return gist
    tidy = " ".join(message[: LONGEST_GIST * 4].split())
    return tidy if len(tidy) <= LONGEST_GIST else tidy[: LONGEST_GIST - 1] + "…"


def _from_text(reading: _Reading, message: str, decided_by: str) -> Decision:
    applied = reading.status != "unknown" and reading.confidence >= APPLY_FROM
    translation = _translation(reading.language, message, reading.gist)
    return Decision(
        reading.status, reading.reason, reading.confidence, applied, reading.language, translation, decided_by
    )


def _from_code(meaning: CodeMeaning, reading: _Reading, message: str, decided_by: str, *, strong: bool) -> Decision:
    confidence = _CODE_CONFIDENCE[strong]
    reason = meaning.reason or (reading.reason if meaning.status in _PROBLEMS else "")
    gist = reading.gist if reading.status == meaning.status else meaning.status.replace("_", " ")
    translation = _translation(reading.language, message, gist)
    applied = confidence >= APPLY_FROM
    return Decision(meaning.status, reason, confidence, applied, reading.language, translation, decided_by)


@lru_cache(maxsize=1)
def shared() -> Classifier:
    """The one classifier of this process."""
    return Classifier()


def classify(carrier: str, carrier_code: str, message: str) -> Decision:
    """Decide one message. `carrier` is any spelling of its name; code and message may be empty."""
    return shared().decide(carrier, carrier_code, message)


def classify_many(rows: Iterable[tuple[str, str, str]]) -> list[Decision]:
    """Decide (carrier, carrier_code, message) rows, in order."""
    decide = shared().decide
    return [decide(carrier, code, message) for carrier, code, message in rows]


def classify_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Decide an item with `carrier`, `carrier_code` and `message` (missing or null is empty); plain JSON types."""
    carrier, code, message = (str(item.get(key) or "") for key in ("carrier", "carrier_code", "message"))
    return asdict(classify(carrier, code, message))
