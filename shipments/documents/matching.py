"""Which delivery a file belongs to: its barcodes, its text and its name are compared, exactly, with tracking numbers and
references; within the file's carrier first.

    candidates = numbers_in(text, codes, name)  ->  look_up  ->  [Found(shipment, confidence, evidence)]  ->  decide

Above `settings.DOCUMENT_MATCH_PERCENT`, and without a rival, a file is attached at once; else a person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction

from core.audit import record
from shipments.choices import DocumentSource, DocumentState, Matching
from shipments.completeness.refresh import note_deliveries
from shipments.documents.reader import Reader, UnreadableError
from shipments.documents.store import settle_versions
from shipments.models import Document, MatchCandidate, Shipment

BARCODE, TEXT, NAME, PART = "barcode", "text", "name", "part of a barcode"
MOST_NUMBERS, MOST_REFERENCES, MOST_FOUND = 3_000, 100, 10
SHORTEST, LONGEST = 6, 40
JOINED = 6
"""Groups of characters that a printed number may be split into: `1Z 999 AA1 01 2345 6784`."""
PREFIX = 4
"""Letters that may stand before the groups: `JD 0146 0000 4617`."""
BARCODE_PAGES, BARCODE_LONGEST = 3, 1_800
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-/_.]*[A-Za-z0-9]|[A-Za-z0-9]")
_APPLICATION = re.compile(r"\(\d{2,4}\)")
# How sure an exact match is: by where the number stands, within the file's own carrier, and when that is not known.
_SURE = {BARCODE: (0.99, 0.95), NAME: (0.95, 0.90), TEXT: (0.95, 0.85), PART: (0.85, 0.70)}
_REFERENCE = 0.75
"""A reference is ours, and customers repeat them."""


@dataclass(frozen=True, slots=True)
class Number:
    """Something that may be a tracking number, and where it stands. `page` is 0 for the name."""

    text: str
    kind: str
    page: int = 0


@dataclass(slots=True)
class Found:
    shipment: Shipment
    confidence: float
    evidence: list[dict[str, str | int]] = field(default_factory=list)


# --- what stands in a file ----------------------------------------------------------------------------------------


def is_sought(document: Document) -> bool:
    """Whether its delivery is looked for. What we made without one, a manifest, has none; nor what a person said so of."""
    made_here = document.source == DocumentSource.RENDERED
    return document.shipment_id is None and document.matching != Matching.NONE and not made_here


def find(document: Document, text: str, path: str, reader: Reader) -> list[Found]:
    """Deliveries that this file may belong to, the surest first."""
    return look_up(document, numbers_in(text, _codes(document, path, reader), document.name))


def _codes(document: Document, path: str, reader: Reader) -> list[tuple[str, int]]:
    try:
        answer = reader.ask(
            "barcodes", path=path, kind=document.content_type, most_pages=BARCODE_PAGES, longest=BARCODE_LONGEST
        )
    except UnreadableError:
        return []
    return [(str(code["text"]), int(code["page"])) for code in answer["codes"]]


def numbers_in(text: str, codes: Iterable[tuple[str, int]], name: str) -> list[Number]:
    """Each once, by where it says most: barcodes, then the name, then the text."""
    found: dict[str, Number] = {}

    def add(spelled: str, kind: str, page: int) -> None:
        word = spelled.strip().upper()
        plausible = SHORTEST <= len(word) <= LONGEST and any(char.isdigit() for char in word)
        if plausible and word not in found and len(found) < MOST_NUMBERS:
            found[word] = Number(word, kind, page)

    for code, page in codes:
        whole = _APPLICATION.sub("", code)
        for spelled in (code, whole, re.sub(r"[^A-Za-z0-9]", "", whole)):
            add(spelled, BARCODE, page)
        for part in _parts_of(code):
            add(part, PART, page)
    for word in _WORD.findall(name.rsplit(".", 1)[0]):
        for spelled in (word, *re.split(r"[_.\-]", word)):
            add(spelled, NAME, 0)
    for page, shown in enumerate(text.split("\f"), 1):
        for line in shown.splitlines():
            for spelled in _spelled(line):
                add(spelled, TEXT, page)
    return list(found.values())


def _parts_of(code: str) -> list[str]:
    """Carriers put routing before the number, and several numbers into one code."""
    parts = re.findall(r"[A-Za-z0-9]{6,}", _APPLICATION.sub(" ", code))
    digits = re.sub(r"\D", "", code)
    return parts + [digits[-length:] for length in range(10, min(len(digits), 31))]


def _spelled(line: str) -> list[str]:
    """The words of a line, and neighbours put together."""
    words = _WORD.findall(line)
    together = [
        "".join(words[start : start + count])
        for start in range(len(words))
        for count in range(2, JOINED + 1)
        if start + count <= len(words) and (len(words[start]) <= PREFIX or any(map(str.isdigit, words[start])))
    ]
    return words + together


# --- what we know -------------------------------------------------------------------------------------------------


def look_up(document: Document, numbers: Sequence[Number]) -> list[Found]:
    """Deliveries with one of these numbers exactly; of the document's carrier where it is known and has one."""
    by_text = {number.text: number for number in numbers}
    rows = Shipment.objects.filter(tracking_number__in=list(by_text)).order_by()
    shipments = _within_carrier(document, list(rows[: MOST_FOUND * 10]))
    found = [_by_number(document, row, by_text[row.tracking_number.upper()]) for row in shipments]
    if not found:
        found = _by_reference(document, numbers)
    _weaken_rivals(found)
    return sorted(found, key=lambda one: -one.confidence)[:MOST_FOUND]


def _within_carrier(document: Document, rows: list[Shipment]) -> list[Shipment]:
    own = [row for row in rows if row.carrier_id == document.carrier_id]
    return own if document.carrier_id and own else rows


def _by_number(document: Document, row: Shipment, number: Number) -> Found:
    own, unknown = _SURE[number.kind]
    sure = own if document.carrier_id == row.carrier_id else unknown
    if document.carrier_id and document.carrier_id != row.carrier_id:
        sure = min(sure, 0.5)  # another carrier's delivery: never by itself
    return Found(row, sure, [_evidence(number, "tracking number")])


def _by_reference(document: Document, numbers: Sequence[Number]) -> list[Found]:
    by_text = {number.text: number for number in numbers[:MOST_REFERENCES]}
    rows = Shipment.objects.filter(reference__in=list(by_text)).order_by()
    shipments = _within_carrier(document, list(rows[:MOST_FOUND]))
    return [Found(row, _REFERENCE, [_evidence(by_text[row.reference.upper()], "reference")]) for row in shipments]


def _evidence(number: Number, what: str) -> dict[str, str | int]:
    return {"kind": number.kind, "text": number.text, "page": number.page, "what": what}


def _weaken_rivals(found: list[Found]) -> None:
    """Several deliveries cannot all be right. One that a barcode names is not weakened by numbers in the text."""
    named = [one for one in found if one.evidence[0]["kind"] == BARCODE]
    for one in found:
        alone = len(found) == 1 or (len(named) == 1 and one is named[0])
        if not alone:
            one.confidence = round(one.confidence / 2, 3)


# --- what becomes of it -------------------------------------------------------------------------------------------


@transaction.atomic
def decide(document: Document, found: Sequence[Found]) -> None:
    """Attach it, or put it before a person with what was found, or note that nothing was."""
    row = Document.objects.select_for_update(of=("self",)).get(pk=document.pk)
    if row.shipment_id is not None or row.matching == Matching.NONE:
        return  # a person was quicker
    row.candidates.all().delete()
    MatchCandidate.objects.bulk_create(
        MatchCandidate(document=row, shipment=one.shipment, confidence=one.confidence, evidence=one.evidence)
        for one in found
    )
    best = found[0] if found else None
    if best and best.confidence * 100 >= settings.DOCUMENT_MATCH_PERCENT and not _taken(row, best.shipment):
        attach(row, best.shipment, actor=None, source="system", reason=words_of(best.evidence))
        return
    row.matching = Matching.REVIEW if found else Matching.NOTHING
    row.save(update_fields=["matching"])


def words_of(evidence: Sequence[dict[str, str | int]]) -> str:
    """`tracking number 1Z… in the barcode on page 1`"""
    said = []
    for one in evidence:
        where = {NAME: "in the file's name", TEXT: f"in the text of page {one['page']}"}
        place = where.get(str(one["kind"]), f"in the {one['kind']} on page {one['page']}")
        said.append(f"{one.get('what', 'number')} {one['text']} {place}")
    return "; ".join(said)


def _taken(document: Document, shipment: Shipment) -> bool:
    """Whether the delivery has the very same bytes already."""
    return Document.objects.filter(shipment=shipment, type=document.type, sha256=document.sha256).exists()


def attach(document: Document, shipment: Shipment, *, actor: object, source: str = "page", reason: str = "") -> None:
    """Write down whose document it is; inside of a transaction, the row locked. Versions are counted anew on both sides.

    The caller has made sure that the delivery does not have the same bytes (`document_once`).
    """
    before = {"shipment": document.shipment_id, "version": document.version}
    left = Document.objects.filter(
        shipment=document.shipment_id, type=document.type, name=document.name, state=DocumentState.STORED
    ).exclude(pk=document.pk)
    left_behind = left.first() if document.shipment_id else None
    if document.shipment_id:
        note_deliveries(
            [document.shipment_id]
        )  # it lacks this document now; the new one is found by the change of its row
    others = Document.objects.filter(shipment=shipment, type=document.type, name=document.name)
    document.version = max(others.values_list("version", flat=True), default=0) + 1
    document.shipment, document.carrier_id, document.matching = shipment, shipment.carrier_id, Matching.UNKNOWN
    document.superseded, document.sample = False, shipment.sample
    document.save(update_fields=["shipment", "carrier", "matching", "version", "superseded", "sample"])
    document.candidates.all().delete()
    for row in (document, left_behind):
        if row is not None:
            settle_versions(row)
    record(actor=actor, verb="document.attached", target=document, source=source, reason=reason,  # type: ignore[arg-type]  # a person or nobody
           summary=f"{document.name} to {shipment.tracking_number}", before=before,
           after={"shipment": shipment.pk, "version": document.version})  # fmt: skip
