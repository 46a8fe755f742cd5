"""The limit over everything: changed with a reason, on the record, working at once; 0 holds everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.models import AuditEntry
from services_registry.batches import drain
from services_registry.choices import ChunkState
from services_registry.models import Batch, Chunk, EngineSettings, Function
from tests.batches.test_outcomes import play

ClientAs = Callable[[User], Client]
Work = Callable[..., Batch]
CARD = "/batches/schedules/"
HELD = "Everything is held"
ADMIN = "/admin/services_registry/enginesettings/"


def set_limit(client: Client, limit: object, reason: str = "carrier asked for quiet") -> Any:
    return client.post("/batches/engine/", {"concurrency": limit, "reason": reason}, follow=True)


@pytest.mark.slow
def test_nothing_is_sent_while_the_limit_is_zero_and_everything_after(
    toy: str, work: Work, client_as: ClientAs, operator: User
) -> None:
    client = client_as(operator)
    assert HELD in set_limit(client, 0).content.decode()
    batch = play("ok-1", "ok-2")
    assert not drain(lambda: batch.chunks.exclude(state=ChunkState.QUEUED).exists(), patience_s=2)
    assert HELD not in set_limit(client, 5).content.decode()
    assert work(batch).succeeded == 2


def test_a_change_is_on_the_record_with_its_reason(db: None, client_as: ClientAs, operator: User) -> None:
    client = client_as(operator)
    set_limit(client, 30)
    assert EngineSettings.current().concurrency == 30
    entry = AuditEntry.objects.get(verb="engine.limit_changed")
    assert (entry.actor, entry.reason) == (operator, "carrier asked for quiet")
    assert (entry.before, entry.after) == ({"concurrency": 100}, {"concurrency": 30})
    assert "nothing was changed" in set_limit(client, 30).content.decode()
    assert AuditEntry.objects.filter(verb="engine.limit_changed").count() == 1


@pytest.mark.parametrize(("limit", "reason"), [(30, ""), (-1, "why"), ("many", "why"), ("", "why")])
def test_a_change_needs_a_number_and_a_reason(
    db: None, client_as: ClientAs, operator: User, limit: object, reason: str
) -> None:
    answer = set_limit(client_as(operator), limit, reason)
    assert answer.status_code == 400
    assert "needs a correction" in answer.content.decode()
    assert not EngineSettings.objects.exists()


def test_the_card_shows_the_limit_and_what_is_under_way_to_everybody(
    toy: str, client_as: ClientAs, viewer: User
) -> None:
    play("ok-1", "ok-2", "ok-3", "ok-4", "ok-5")
    Chunk.objects.filter(pk=Chunk.objects.values("pk")[:1]).update(state=ChunkState.RUNNING)
    client = client_as(viewer)
    text = client.get(CARD).content.decode()
    assert 'data-engine-limit="100"' in text and 'data-engine-in-use="1"' in text
    assert "Set the limit" not in text
    assert set_limit(client, 1).status_code == 403


def test_the_admin_has_one_row_that_stays(db: None, client_as: ClientAs, admin_user: User) -> None:
    client = client_as(admin_user)
    client.post(f"{ADMIN}add/", {"concurrency": 40, "reason": "first"})
    client.post(f"{ADMIN}1/change/", {"concurrency": 50, "reason": "second"})
    assert [row.concurrency for row in EngineSettings.objects.all()] == [50]
    reasons = AuditEntry.objects.filter(verb="engine.limit_changed", source="admin").order_by("pk")
    assert [entry.reason for entry in reasons] == ["first", "second"]
    assert client.get(f"{ADMIN}add/").status_code == 403
    assert client.post(f"{ADMIN}1/delete/", {"post": "yes"}).status_code == 403


def test_a_functions_own_limit_is_set_in_the_admin(toy: str, client_as: ClientAs, admin_user: User) -> None:
    function = Function.objects.get()
    address = f"/admin/services_registry/function/{function.pk}/change/"
    client_as(admin_user).post(address, {"owner": "", "capability": "", "notes": "", "dispatch_limit": "3"})
    function.refresh_from_db()
    assert function.dispatch_limit == 3
