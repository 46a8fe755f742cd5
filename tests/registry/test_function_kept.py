"""What people keep at a function: payloads to run it with again, runs with their answers, and notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import AuditEntry, Notification
from services_registry.models import Batch, Chunk, Function, FunctionNote, SavedPayload
from tests.factories import make_user

ClientAs = Callable[[User], Client]
Make = Callable[..., Function]


@pytest.fixture
def function(make_function: Make) -> Function:
    return make_function("labels-render")


def test_a_payload_is_kept_shared_used_deleted_and_taken_back(
    function: Function, client_as: ClientAs, operator: User, viewer: User
) -> None:
    mine, other, page = (
        client_as(operator),
        client_as(make_user("operator", username="other")),
        f"/functions/{function.pk}/",
    )
    kept = mine.post(f"{page}payloads/", {"payload": '{"size": "A6"}', "name": " small  label ", "reason": ""})
    row = SavedPayload.objects.get()
    assert kept.headers["Location"] == f"{page}?payload={row.pk}#run"
    assert (row.name, row.payload, row.shared) == ("small label", {"size": "A6"}, False)
    assert "&quot;size&quot;: &quot;A6&quot;" in mine.get(f"{page}?payload={row.pk}").content.decode()
    assert "A6" not in other.get(f"{page}?payload={row.pk}").content.decode()
    assert other.post(f"{page}payloads/{row.pk}/delete/").status_code == 404
    for _twice in range(2):  # the same name again replaces it; the same content again changes nothing
        mine.post(f"{page}payloads/", {"payload": '{"size": "A5"}', "name": "small label", "shared": "on"})
    seen = other.get(page).content.decode()
    assert "small label" in seen and "A5" in other.get(f"{page}?payload={row.pk}").content.decode()
    mine.post(f"{page}payloads/{row.pk}/delete/")
    assert "You deleted the payload" in mine.get(page).content.decode()
    gone = other.get(page).content.decode()
    assert "small label" not in gone and "You deleted" not in gone
    mine.post(f"{page}payloads/{row.pk}/restore/")
    assert "small label" in other.get(page).content.decode()
    trail = AuditEntry.objects.filter(target=f"services_registry.function:{function.pk}").order_by("pk")
    assert [entry.verb.removeprefix("payload.") for entry in trail] == ["saved", "changed", "deleted", "restored"]
    assert client_as(viewer).post(f"{page}payloads/", {"payload": "{}", "name": "x"}).status_code == 403


def test_what_cannot_be_kept_stays_in_the_form_with_the_reason(
    function: Function, client_as: ClientAs, operator: User
) -> None:
    client, address = client_as(operator), f"/functions/{function.pk}/payloads/"
    for payload, name, reason in (
        ('{"a": 1}', "", "Give the payload a name"), ("{oops", "x", "This is not JSON"),
        (f'"{"x" * 300_000}"', "x", "at most 256 KB"),
    ):  # fmt: skip
        answer = client.post(address, {"payload": payload, "name": name})
        text = answer.content.decode()
        assert (answer.status_code, reason in text) == (400, True)
        assert f'href="/functions/{function.pk}/?compare=1"' in text  # not relative to the address of the form
    SavedPayload.objects.bulk_create(
        SavedPayload(function=function, owner=operator, name=f"p{n}", payload={}) for n in range(50)
    )
    assert "Delete one first" in client.post(address, {"payload": "{}", "name": "one more"}).content.decode()
    assert client.post(address, {"payload": "1", "name": "p7"}).status_code == 302


def test_a_payload_does_not_come_back_under_a_name_that_is_taken(
    function: Function, client_as: ClientAs, operator: User
) -> None:
    client, page = client_as(operator), f"/functions/{function.pk}/"
    for payload in ("1", "2"):
        client.post(f"{page}payloads/", {"payload": payload, "name": "same"})
        if payload == "1":
            first = SavedPayload.objects.get()
            client.post(f"{page}payloads/{first.pk}/delete/")
    answer = client.post(f"{page}payloads/{first.pk}/restore/", follow=True)
    assert "already have a payload called" in answer.content.decode()
    assert SavedPayload.objects.get(deleted=None).payload == 2
    SavedPayload.objects.filter(pk=first.pk).update(deleted=timezone.now() - timedelta(days=2))
    assert "You deleted the payload" not in client.get(page).content.decode()


def test_runs_stay_with_their_answers_and_can_be_made_again(
    function: Function, client_as: ClientAs, operator: User
) -> None:
    run = Batch.objects.create(
        function_name=function.name, title="a run", payload={"size": "A6"}, total=1, succeeded=1, reason="a try"
    )
    Chunk.objects.create(batch=run, position=0, response={"pages": 2}, outcome="succeeded", duration_ms=120)
    failed = Batch.objects.create(function_name=function.name, title="another", payload={}, total=1, failed=1)
    Chunk.objects.create(batch=failed, position=0, error_type="ValueError", error_message="no <size>")
    client, page = client_as(operator), f"/functions/{function.pk}/"
    text = client.get(page).content.decode()
    assert "&quot;pages&quot;: 2" in text and "ValueError no &lt;size&gt;" in text and "a try" in text
    assert "A6" in client.get(f"{page}?again={run.pk}").content.decode()
    other = Batch.objects.create(function_name="other", title="x", payload={"private": 1}, total=1)
    assert "private&quot;" not in client.get(f"{page}?again={other.pk}").content.decode()


def test_a_note_tells_whom_it_mentions_and_only_its_author_changes_it(
    function: Function, client_as: ClientAs, operator: User, viewer: User
) -> None:
    other, page = make_user("operator", username="bo"), f"/functions/{function.pk}/"
    client = client_as(operator)
    refused = client.post(f"{page}notes/", {"text": "hello @nobody-here"})
    assert (refused.status_code, "nobody called @nobody-here" in refused.content.decode()) == (400, True)
    answer = client.post(
        f"{page}notes/", {"text": f"Look at <this>, @{other.username}"}, headers={"HX-Request": "true"}
    )
    note = FunctionNote.objects.get()
    text = answer.content.decode()
    assert f'class="mention">@{other.username}' in text and "&lt;this&gt;" in text and "<html" not in text
    told = Notification.objects.get(user=other)
    assert (told.kind, told.url) == ("mention", f"{page}#note-{note.pk}") and "labels-render" in told.text
    assert client_as(other).post(f"{page}notes/{note.pk}/", {"text": "mine now"}).status_code == 404
    assert client_as(viewer).post(f"{page}notes/", {"text": "may I?"}).status_code == 403
    assert "note-edit-text" in client.get(f"{page}?edit_note={note.pk}").content.decode()
    assert client.post(f"{page}notes/{note.pk}/", {"text": "Done."}).status_code == 302
    client.post(f"{page}notes/{note.pk}/delete/")
    assert "Done." not in client_as(viewer).get(page).content.decode()
    assert "You deleted this note" in client.get(page).content.decode()
    client.post(f"{page}notes/{note.pk}/restore/")
    assert "Done." in client_as(viewer).get(page).content.decode()
    verbs = AuditEntry.objects.filter(verb__startswith="note.").order_by("pk").values_list("verb", flat=True)
    assert [verb.removeprefix("note.") for verb in verbs] == ["written", "changed", "deleted", "restored"]


def test_payloads_and_notes_over_rest(
    function: Function, api_client: Callable[[User], APIClient], operator: User, viewer: User, admin_user: User,
    client_as: ClientAs,
) -> None:  # fmt: skip
    mine, address = api_client(operator), f"/api/v1/functions/{function.pk}/"
    made = mine.post(f"{address}payloads/", {"name": "one", "payload": {"n": 1}, "shared": True}, format="json")
    assert made.status_code == 201
    one = f"{address}payloads/{made.json()['id']}/"
    assert mine.patch(one, {"payload": [1, 2]}, format="json").json()["payload"] == [1, 2]
    assert mine.post(f"{address}payloads/", {"name": " ", "payload": 1}, format="json").status_code == 400
    reader = api_client(viewer)
    assert [row["name"] for row in reader.get(f"{address}payloads/").json()["results"]] == ["one"]
    assert reader.get(one).json()["owner"] == operator.username
    other = api_client(make_user("operator", username="other"))
    assert other.patch(one, {"shared": False}, format="json").status_code == 404
    assert [client.delete(one).status_code for client in (reader, other, mine, mine)] == [403, 404, 204, 404]
    assert reader.get(f"{address}payloads/").json()["results"] == []
    assert mine.post(f"{address}notes/", {"text": "Seen."}, format="json").json()["author"] == operator.username
    assert reader.post(f"{address}notes/", {"text": "x"}, format="json").status_code == 403
    assert mine.post(f"{address}notes/", {"text": "@nobody-here"}, format="json").status_code == 400
    assert [row["text"] for row in reader.get(f"{address}notes/").json()["results"]] == ["Seen."]
    admin = client_as(admin_user)
    for model in ("functionnote", "savedpayload"):
        assert "labels-render" in admin.get(f"/admin/services_registry/{model}/").content.decode()
