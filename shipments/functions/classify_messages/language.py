"""Which language a message is in: votes of the vocabulary, of frequent small words and of letters."""

from shipments.functions.classify_messages.lexicon import DATA, Hit
from shipments.functions.classify_messages.text import fold

UNDETERMINED = "und"
"""ISO 639-2 for "cannot tell"."""


SURE_VOTES = 3.0
SURE_SHARE = 0.5
"""From these on, words of other languages in the message are taken as look-alikes."""
_SPREAD = "en es de fr it pt nl pl sv da no cs tr zh"
"""Between equal votes the language more carriers write in wins."""


class Languages:
    """The evidence of data/languages.txt, loaded once."""

    def __init__(self) -> None:
        self._words: dict[str, list[str]] = {}
        self._letters: dict[str, list[str]] = {}
        for line in (DATA / "languages.txt").read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            head, _, tail = line.partition(":")
            kind, code = head.split()
            if kind == "words":
                for word in tail.split(";"):
                    self._words.setdefault(fold(word.strip()), []).append(code)
            else:
                for letter in tail.split():
                    self._letters.setdefault(letter, []).append(code)

    def identify(self, message: str, words: list[str], hits: list[Hit]) -> tuple[str, bool]:
        """ISO 639-1 code of the message's language ("und" without any evidence), and whether that is sure."""
        votes: dict[str, float] = {}
        for hit in hits:
            share = 1.0 / len(hit.node.votes)
            for code, weight in hit.node.votes.items():
                votes[code] = votes.get(code, 0.0) + weight * share
        for word in words:
            codes = self._words.get(word)
            if codes:
                for code in codes:
                    votes[code] = votes.get(code, 0.0) + 1.0 / len(codes)
        if not message.isascii():
            self._vote_letters(message.lower(), votes)
        if not votes:
            return UNDETERMINED, False
        best = max(votes, key=lambda code: (round(votes[code], 6), -_SPREAD.find(code)))
        return best, votes[best] >= SURE_VOTES and votes[best] >= SURE_SHARE * sum(votes.values())

    def _vote_letters(self, message: str, votes: dict[str, float]) -> None:
        for letter in set(message):
            if letter > "\u3400":
                votes["zh"] = votes.get("zh", 0.0) + 1.0
            for code in self._letters.get(letter, ()):
                votes[code] = votes.get(code, 0.0) + 1.0 / len(self._letters[letter])
