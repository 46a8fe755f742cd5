"""Walking through keyset pages shows every row once, forwards and back, also with ties and empty values."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.models import ApiToken, AuditEntry
from core.pagination import BadCursorError, KeysetPage, capped_count, keyset_page

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)


def add(count: int, **values: object) -> None:
    defaults = {"at": NOON, "source": "test", "verb": "x"}
    AuditEntry.objects.bulk_create(AuditEntry(**(defaults | values)) for _ in range(count))


@pytest.mark.parametrize("order", [("-at", "-id"), ("at",), ("verb", "-at"), ("-verb", "at", "id")])
def test_walk_forwards_and_back_shows_every_row_once(order: tuple[str, ...]) -> None:
    for place in range(7):
        add(3, at=NOON.replace(second=place // 2), verb=f"v{place % 3}")
    tie_break = () if "id" in order else ("-id" if order[0].startswith("-") else "id",)
    expected = list(AuditEntry.objects.order_by(*order, *tie_break))
    seen, cursor, pages = [], "", []
    while True:
        page = keyset_page(AuditEntry.objects.all(), order=order, cursor=cursor, size=4)
        seen += page.rows
        pages.append(page)
        if not page.next_cursor:
            break
        cursor = page.next_cursor
    assert seen == expected
    assert not pages[0].previous_cursor
    for earlier, later in zip(pages[-2::-1], pages[:0:-1], strict=True):
        back = keyset_page(AuditEntry.objects.all(), order=order, cursor=later.previous_cursor, size=4)
        assert back.rows == earlier.rows


def test_nullable_column_sorts_last_and_loses_nobody(viewer: User) -> None:
    for place in range(9):
        token, _key = ApiToken.issue(user=viewer, name=f"t{place}")
        if place % 3:
            ApiToken.objects.filter(pk=token.pk).update(last_used=NOON.replace(second=place // 3))
    for order in (("last_used",), ("-last_used", "name")):
        seen: list[ApiToken] = []
        cursor = ""
        while True:
            page = keyset_page(ApiToken.objects.all(), order=order, cursor=cursor, size=2)
            seen += page.rows
            cursor = page.next_cursor
            if not cursor:
                break
        assert len({token.pk for token in seen}) == len(seen) == 9
        assert [token.last_used is None for token in seen] == [False] * 6 + [True] * 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(cursor=st.text(min_size=1, max_size=40))
def test_made_up_cursor_is_refused_by_name_never_a_crash(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        keyset_page(AuditEntry.objects.all(), order=("-at",), cursor=cursor)


def test_page_with_a_foreign_cursor_shows_the_first_page_and_links_keep_filters() -> None:
    add(5)
    request = RequestFactory().get("/list/?verb=x&cursor=nonsense")
    page = KeysetPage.of(AuditEntry.objects.all(), order=("-at", "-id"), request=request, size=2)
    assert len(page) == 2
    assert page.next_link.startswith("/list/?verb=x&cursor=")
    assert page.previous_link == ""


def test_count_stops_at_its_cap() -> None:
    add(6)
    assert capped_count(AuditEntry.objects.all(), cap=5) == (5, True)
    assert capped_count(AuditEntry.objects.all(), cap=6) == (6, False)
