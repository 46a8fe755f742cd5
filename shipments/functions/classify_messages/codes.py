"""Carrier codes whose meaning is public: standards that name themselves, and the code families of large carriers.

data/codes.csv is dated and names its source per row. `plain` codes decide before any text; `hint` codes (a generic
"exception") only when the text says nothing.
"""

import csv
import re
from dataclasses import dataclass

from shipments.functions.classify_messages.lexicon import DATA

_SEPARATORS = re.compile(r"[/:|]")


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What a code stands for; `reason` is empty when the code does not say."""

    family: str
    status: str
    reason: str
    plain: bool


class Codes:
    """All code families, loaded once."""

    def __init__(self) -> None:
        self._by_family: dict[str, dict[str, CodeMeaning]] = {}
        self._carriers: dict[str, str] = {}
        self._known: dict[str, list[dict[str, CodeMeaning]]] = {}
        with (DATA / "codes.csv").open(encoding="utf-8", newline="") as source:
            for row in csv.DictReader(source):
                meaning = CodeMeaning(row["family"], row["status"], row["reason"], row["strength"] == "plain")
                self._by_family.setdefault(row["family"], {})[row["code"]] = meaning
                for carrier in row["carriers"].split(";"):
                    self._carriers[carrier] = row["family"]

    def meaning(self, carrier: str, code: str) -> CodeMeaning | None:
        """The meaning of this carrier's code, or None. `I/AR` is looked up whole, then by piece, the last first."""
        wanted = code.strip().upper()
        if not wanted:
            return None
        pieces = [wanted, *reversed(_SEPARATORS.split(wanted))]
        for family in self._families(carrier):
            for piece in pieces:
                if piece in family:
                    return family[piece]
        return None

    def _families(self, carrier: str) -> list[dict[str, CodeMeaning]]:
        name = carrier.strip().lower().replace("-", "_").replace(" ", "_")
        known = self._known.get(name)
        if known is None:
            if len(self._known) > 5_000:
                self._known.clear()
            fitting = [key for key in self._carriers if name == key or name.startswith(key + "_")]
            best = [max(fitting, key=len)] if fitting else []
            known = self._known[name] = [self._by_family[self._carriers[key]] for key in (*best, "*")]
        return known
