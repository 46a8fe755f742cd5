"""Finding people by what they are called, and reading @mentions of them in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models.functions import Lower

MOST_OFFERED = 8
MOST_MENTIONED = 20
# Not inside of a word: an e-mail address is no mention. What may be in a user name, Django says.
MENTION = re.compile(r"(?<![\w.@+-])@(\w[\w.@+-]*)")
_AT_THE_END = ".-+@"


class Person(NamedTuple):
    username: str
    name: str
    """First and last name, may be empty."""


def people_called(beginning: str, limit: int = MOST_OFFERED) -> list[Person]:
    """Active people whose user name, first or last name begins so, in any case of letters; by user name."""
    pattern = re.sub(r"([\\%_])", r"\\\1", beginning.replace("\0", "").strip()[:150]) + "%"
    users: Any = get_user_model().objects.filter(is_active=True)
    if pattern != "%":
        where = "(username ILIKE %s OR first_name ILIKE %s OR last_name ILIKE %s)"
        users = users.extra(where=[where], params=[pattern] * 3)  # noqa: S610  # ILIKE is no ORM look-up; values are bound
    rows = users.order_by("username").values_list("username", "first_name", "last_name")[:limit]
    return [Person(username, f"{first} {last}".strip()) for username, first, last in rows]


def mentions_in(text: str) -> list[str]:
    """User names after an `@`, each once, in order; punctuation at the end of a sentence is not part of them."""
    names = (match.group(1).rstrip(_AT_THE_END) for match in MENTION.finditer(text))
    return list(dict.fromkeys(name for name in names if name))


def mention_parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is a mention; together they are the text."""
    done = 0
    for match in MENTION.finditer(text):
        name = match.group(1).rstrip(_AT_THE_END)
        yield text[done : match.start()], False
        yield f"@{name}", True
        done = match.start() + 1 + len(name)
    yield text[done:], False


def people_named(usernames: Iterable[str]) -> dict[str, Any]:
    """Active users by the lower case of their user names; those that do not exist are left out. One query."""
    wanted = {name.lower() for name in usernames}
    if not wanted:
        return {}
    users: Any = get_user_model().objects.filter(is_active=True).annotate(called=Lower("username"))
    return {user.called: user for user in users.filter(called__in=wanted)}
