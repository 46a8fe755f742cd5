"""`DATABASE_URL` names a PostgreSQL database by network or by socket; anything else is refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.database import database_from_url

PARTS = ("USER", "PASSWORD", "HOST", "PORT", "NAME")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ana:pw@db.internal:6432/board", ("ana", "pw", "db.internal", "6432", "board")),
        ("postgres://ana@db/board", ("ana", "", "db", "", "board")),
        ("postgresql://a%40b:p%2Fw%3A@db/the%20board", ("a@b", "p/w:", "db", "", "the board")),
        ("postgresql:///board?host=/run/pg&user=ana", ("ana", "", "/run/pg", "", "board")),
    ],
)
def test_a_url_says_where_the_database_is(url: str, expected: tuple[str, ...]) -> None:
    found = database_from_url(url)
    assert tuple(found[part] for part in PARTS) == expected


@pytest.mark.parametrize(
    "url", ["", "board", "mysql://ana@db/board", "sqlite:///board", "postgresql://ana@db", "postgresql://ana@db/"]
)
def test_anything_else_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="^DATABASE_URL must look like postgresql://"):
        database_from_url(url)


@pytest.mark.parametrize(
    "url", ["postgresql://ana@db:port/board", "postgresql://ana@db:99999/board", "postgresql://[::1/b"]
)
def test_an_impossible_port_is_refused_by_name(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="^DATABASE_URL"):
        database_from_url(url)


def test_a_refusal_does_not_repeat_the_password() -> None:
    for url in ("mysql://ana:hunter2@db/board", "postgresql://ana:hunter2/x@db/board"):
        with pytest.raises(ImproperlyConfigured) as refused:
            database_from_url(url)
        assert "hunter2" not in str(refused.value)
