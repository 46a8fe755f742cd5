"""Carrier text made comparable: case, accents and the spelling of code words do not matter afterwards."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LONGEST_READ = 2_000
"""Characters of a message that are read. Carrier texts are 10-300; the rest of a pasted log must not cost time."""
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i", "þ": "th", "’": "'"})
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(
    r"[a-z0-9]+|[\u3400-\u9fff]|[.;!?,|:()\n\u3002\uff0c\uff1b\uff01\uff1a\uff08\uff09]+|(?<=\s)[-\u2013\u2014/]+(?=\s)"
)
_SENTENCE_END = frozenset(".;!?|\n\u3002\uff1b\uff01")
_OPENING = frozenset("(\uff08")
_BRACKETS = _OPENING | frozenset(")\uff09")
_HEADER_END = frozenset("-\u2013\u2014:\uff1a")


def fold(text: str) -> str:
    """The text in lower case without accents; ß, ø, ł and the like become plain letters."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFKD", lowered.translate(_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a message that says one thing. `header`: a dash or colon follows, so it is the headline of the next.
    `aside`: it stands in brackets."""

    words: tuple[str, ...]
    header: bool
    aside: bool = False


def parts(message: str) -> list[Part]:
    """The message as parts of words, split at sentence ends and at headline dashes. A Chinese character is a word."""
    text = message[:LONGEST_READ]
    if "_" in text:
        text = text.replace("_", " ")
    if not (text.isupper() or text.islower()):
        text = _CAMEL.sub(" ", text)
    found: list[Part] = []
    words: list[str] = []
    aside = False
    for token in _WORD.findall(fold(text)):
        first = token[0]
        if first.isalnum():
            words.append(token)
        elif first in _SENTENCE_END or first in _HEADER_END or first in _BRACKETS:
            if words:
                found.append(Part(tuple(words), first in _HEADER_END, aside))
                words = []
            aside = first in _OPENING or (aside and first not in _BRACKETS)
    if words:
        found.append(Part(tuple(words), header=False, aside=aside))
    return found


@lru_cache(maxsize=1)
def german_spelling() -> dict[int, str]:
    """Umlauts as two letters, for systems that cannot write them: Empfaenger."""
    return str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa"})
