"""The vocabulary: which concepts a stretch of words expresses, in which language, and what it denies.

The data files are our own (data/concepts_delivery.txt explains the format). Terms are stored in a trie whose edges are
whole words, word beginnings (`deliver*`) or word endings (`*zustellung`); the longest term at a position wins.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shipments.functions.classify_messages.text import fold, german_spelling, parts

DATA = Path(__file__).parent / "data"
NEGATION_REACH = 6
"""Words that a "not" looks ahead for what it denies."""
_CACHE_LIMIT = 50_000


@dataclass(slots=True)
class Node:
    """A place in the trie; `concepts` is a bit mask, `votes` the languages that have this term."""

    edges: dict[str, "Node"] = field(default_factory=dict)
    concepts: int = 0
    votes: dict[str, float] = field(default_factory=dict)
    only: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found at words [start, end)."""

    start: int
    end: int
    node: Node


class Lexicon:
    """All concepts, loaded once; `bit` gives a concept's mask, `denied` the mask of its denial."""

    def __init__(self) -> None:
        self._root = Node()
        self._bits: dict[str, int] = {}
        self._deniable = 0
        self._denials: dict[int, int] = {}
        self._beginnings: set[str] = set()
        self._endings: set[str] = set()
        self._edge_cache: dict[str, tuple[str, ...]] = {}
        for path in sorted(DATA.glob("concepts_*.txt")):
            self._load(path)
        self._not = self.bit("NOT")

    def bit(self, name: str) -> int:
        """The mask of a concept or a denied one (NO_X). Raises KeyError for a name the data files do not have."""
        return self._bits[name]

    def _load(self, path: Path) -> None:
        mask = 0
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                name, _, flag = line.strip("[] ").partition(" ")
                mask = self._concept(name, deniable=flag == "~")
            elif line and line[0] != "#":
                language, _, terms = line.partition(":")
                for term in terms.split(";"):
                    if term := term.strip():
                        self._add(term, language, mask)

    def _concept(self, name: str, *, deniable: bool) -> int:
        mask = self._bits.setdefault(name, 1 << len(self._bits))
        if deniable:
            self._deniable |= mask
            self._denials[mask] = self._bits.setdefault(f"NO_{name}", 1 << len(self._bits))
        return mask

    def _add(self, term: str, language: str, mask: int) -> None:
        only = term.startswith("=")
        spellings = {fold(term)}
        if language in {"de", "da", "no", "sv"} and not term.isascii():
            spellings.add(fold(term.lower().translate(german_spelling())))
        for spelling in spellings:
            edges = tuple(_edges(spelling.lstrip("=")))
            node = self._root
            for edge in edges:
                self._note(edge)
                node = node.edges.setdefault(edge, Node())
            if only:
                node.only[language] = node.only.get(language, 0) | mask
            else:
                node.concepts |= mask
            node.votes[language] = 0.2 if only else float(len(edges))

    def _note(self, edge: str) -> None:
        if edge.endswith("*"):
            self._beginnings.add(edge[:-1])
        elif edge.startswith("*"):
            self._endings.add(edge[1:])

    def _edges_of(self, word: str) -> tuple[str, ...]:
        cached = self._edge_cache.get(word)
        if cached is None:
            beginnings = [word[:n] + "*" for n in range(2, len(word) + 1) if word[:n] in self._beginnings]
            endings = ["*" + word[n:] for n in range(1, len(word) - 3) if word[n:] in self._endings]
            cached = (word, *beginnings, *endings)
            if len(self._edge_cache) >= _CACHE_LIMIT:
                self._edge_cache.clear()
            self._edge_cache[word] = cached
        return cached

    def find(self, words: tuple[str, ...]) -> list[Hit]:
        """The longest terms from left to right, not overlapping; equally long ones at one place all count."""
        edges = [self._edges_of(word) for word in words]
        hits: list[Hit] = []
        start, count = 0, len(words)
        while start < count:
            level = [self._root.edges[edge] for edge in edges[start] if edge in self._root.edges]
            end, best_end, best = start + 1, 0, []
            while level:
                if ended := [node for node in level if node.votes]:
                    best_end, best = end, ended
                if end == count:
                    break
                level = [node.edges[edge] for node in level for edge in edges[end] if edge in node.edges]
                end += 1
            hits.extend(Hit(start, best_end, node) for node in best)
            start = best_end or start + 1
        return hits

    def mask(self, hits: list[Hit], language: str, *, sure: bool) -> int:
        """The concepts of one part of a message; each "not" denies the next concept that can be denied.

        With `sure`, the message is certainly in `language`; look-alikes of other languages then do not count.
        """
        mask = 0
        denying_from = -1
        for hit in hits:
            votes = hit.node.votes
            if sure and language not in votes and "en" not in votes:
                continue
            concepts = hit.node.concepts | hit.node.only.get(language, 0)
            if concepts & self._not:
                mask |= self._not
                denying_from = hit.end
                continue
            if denying_from >= 0 and concepts & self._deniable and hit.start - denying_from <= NEGATION_REACH:
                for concept, denial in self._denials.items():
                    if concepts & concept:
                        mask |= denial
                concepts &= ~self._deniable
                denying_from = -1
            mask |= concepts
        return mask


def _edges(term: str) -> Iterator[str]:
    """The words of a term as trie edges, split like a message is split; a star stays at its word."""
    for piece in term.split():
        words = [word for part in parts(piece.replace("*", "")) for word in part.words]
        if piece.endswith("*"):
            words[-1] += "*"
        if piece.startswith("*"):
            words[0] = "*" + words[0]
        yield from words
