"""Notes: who may write, change and delete them; whom they tell, and how often."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from core.models import AuditEntry, Notification
from shipments.models import Note, Shipment
from tests.factories import make_user
from tests.shipments.finding import deliveries

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipment() -> Shipment:
    return deliveries(1)[0]


def write(client: Any, shipment: Shipment, text: str, **more: str) -> Any:
    return client.post(f"/deliveries/{shipment.pk}/notes/", {"text": text, **more})


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user).values_list("text", flat=True))


def test_operators_write_notes_and_viewers_read_them(
    client_as: Any, operator: User, viewer: User, shipment: Shipment
) -> None:
    answer = write(
        client_as(operator), shipment, "Call first.\r\n<b>Gate 4</b>", shown="?show=event&from=status=on_hold"
    )
    note = Note.objects.get()
    assert answer["Location"] == f"/deliveries/{shipment.pk}/?from=status%3Don_hold#note-{note.pk}"
    assert (note.text, note.author_name) == ("Call first.\n<b>Gate 4</b>", operator.username)
    assert AuditEntry.objects.get(target=f"shipments.shipment:{shipment.pk}").verb == "note.written"
    reader = client_as(viewer)
    text = reader.get(f"/deliveries/{shipment.pk}/").content.decode()
    assert "Call first.<br>&lt;b&gt;Gate 4&lt;/b&gt;" in text
    assert 'name="text"' not in text
    assert write(reader, shipment, "x").status_code == 403
    assert Note.objects.count() == 1


def test_mentioned_people_are_told_once_however_often_the_note_changes(client_as: Any, shipment: Shipment) -> None:
    ana, ben, eve = (make_user("operator", username=name) for name in ("ana", "ben.o", "eve"))
    client = client_as(ana)
    write(client, shipment, "@Ben.O. please call; @ana knows. Not a mention: ops@ben.o, cc@eve")
    assert told(ben) == [f"ana mentioned you on {shipment.tracking_number}: @Ben.O. please call; @ana knows. Not a mention: "
                         "ops@ben.o, cc@eve"]  # fmt: skip
    assert told(ana) == told(eve) == []
    note = Note.objects.get()
    address = f"/deliveries/{shipment.pk}/notes/{note.pk}/"
    client.post(address, {"text": "@ben.o please call today, with @eve"})
    assert (len(told(ben)), len(told(eve))) == (1, 1)
    note.refresh_from_db()
    assert note.edited is not None
    reader = client_as(eve)
    opened = reader.get(f"/notifications/{Notification.objects.get(user=eve).pk}/", follow=True)
    assert opened.redirect_chain[-1][0] == f"/deliveries/{shipment.pk}/?show=note#note-{note.pk}"
    assert '<strong class="mention">@eve</strong>' in opened.content.decode()
    assert Notification.objects.get(user=eve).read and not Notification.objects.get(user=ben).read
    # Deleted: who has not read of it no longer hears of it; taken back: they do, and the others are not told again.
    client.post(f"{address}delete/")
    assert (len(told(ben)), len(told(eve))) == (0, 1)
    client.post(f"{address}restore/")
    assert (len(told(ben)), len(told(eve))) == (1, 1)


def test_a_mention_of_nobody_is_refused_with_the_text_kept(client_as: Any, operator: User, shipment: Shipment) -> None:
    client = client_as(operator)
    answer = write(client, shipment, "Ask @nobody-here about it")
    assert answer.status_code == 400
    assert "There is nobody called @nobody-here." in answer.content.decode()
    assert "Ask @nobody-here about it</textarea>" in answer.content.decode()
    part = client.post(f"/deliveries/{shipment.pk}/notes/", {"text": "x" * 4_001}, headers={"HX-Request": "true"})
    assert part.status_code == 400 and "at most 4,000 characters" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert write(client, shipment, " \n ").status_code == 400
    assert not Note.objects.exists()


def test_only_the_author_changes_and_deletes_and_deleting_can_be_undone(
    client_as: Any, operator: User, admin_user: User, shipment: Shipment
) -> None:
    client, other = client_as(operator), client_as(admin_user)
    write(client, shipment, "Mine")
    note = Note.objects.get()
    address, page = f"/deliveries/{shipment.pk}/notes/{note.pk}/", f"/deliveries/{shipment.pk}/"
    for deed in ("", "delete/", "restore/"):
        assert other.post(address + deed, {"text": "Theirs"}).status_code == 404
    assert client.post(f"/deliveries/{shipment.pk + 1}/notes/{note.pk}/delete/").status_code == 404
    form = client.get(f"{page}?edit={note.pk}").content.decode()
    assert "data-note-edit" in form and "data-note-edit" not in other.get(f"{page}?edit={note.pk}").content.decode()
    part = client.post(f"{address}delete/", {"shown": "?show=note"}, headers={"HX-Request": "true"}).content.decode()
    assert "You deleted this note." in part and "Mine" not in part
    assert "Mine" not in other.get(f"{page}?show=note").content.decode()
    assert "deleted a note" in other.get(page).content.decode()
    client.post(f"{address}restore/")
    assert "Mine" in other.get(page).content.decode()
    changes = list(AuditEntry.objects.filter(target__startswith="shipments.shipment:").values_list("verb", flat=True))
    assert changes[::-1] == ["note.written", "note.deleted", "note.restored"]


def test_api_lists_and_writes_the_same_notes(api_client: Any, operator: User, viewer: User, shipment: Shipment) -> None:
    address, api = f"/api/v1/shipments/{shipment.pk}/notes/", api_client(operator)
    made = api.post(address, {"text": f"@{viewer.username} look"}, format="json")
    assert (made.status_code, made.json()["author"]) == (201, operator.username)
    api.post(address, {"text": "second"}, format="json")
    assert len(told(viewer)) == 1
    refused = api.post(address, {"text": "@nobody"}, format="json")
    assert (refused.status_code, refused.json()["error"]["fields"]) == (
        400, {"text": ["There is nobody called @nobody."]},
    )  # fmt: skip
    assert api.post(address, {"text": ""}, format="json").status_code == 400
    assert api_client(viewer).post(address, {"text": "x"}, format="json").status_code == 403
    Note.objects.filter(text="second").update(deleted="2026-11-24T00:00Z")
    listed = api_client(viewer).get(address).json()
    assert [row["text"] for row in listed["results"]] == [f"@{viewer.username} look"]
    assert api.get("/api/v1/shipments/999999/notes/").status_code == 404
