"""Rules that do something: once for each happening, tried out first, each run where people look."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pypdf import PdfWriter

from core.models import AuditEntry, Notification
from services_registry.models import Batch, CapabilityBinding, Function
from shipments.automations import run_automations, save_automation
from shipments.choices import Action, Trigger
from shipments.documents.store import store_document
from shipments.models import (
    Automation,
    AutomationRun,
    Carrier,
    Document,
    DocumentText,
    ExpectedDocument,
    MatchCandidate,
    Shipment,
)

ClientAs = Callable[[User], Client]
pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=1)


@pytest.fixture
def carrier() -> Carrier:
    return Carrier.objects.create(code="nord", name="Nord")


@pytest.fixture
def shipment(carrier: Carrier) -> Shipment:
    return Shipment.objects.create(carrier=carrier, tracking_number="N1", status="in_transit")


def rule(admin: User, **values: Any) -> Automation:
    defaults: dict[str, Any] = {"name": "tell me", "trigger": Trigger.STORED, "action": Action.NOTIFY}
    defaults["people"] = [admin.username]
    return save_automation(Automation(**defaults | values), actor=admin)


def stored(shipment: Shipment | None, name: str = "pod.pdf", kind: str = "proof_of_delivery") -> None:
    page = PdfWriter()
    page.add_blank_page(100, 100)
    page.add_metadata({"/Title": name})
    content = io.BytesIO()
    page.write(content)
    store_document(shipment=shipment, type=kind, content=content.getvalue(), name=name, source="fetched")


def run() -> int:
    return run_automations(timezone.now() + LATER)


def test_a_stored_document_tells_people_once_and_stands_on_the_timeline(
    shipment: Shipment, admin_user: User, client_as: ClientAs
) -> None:
    stored(shipment, "before.pdf")
    made = rule(admin_user, document_type="proof_of_delivery", text="pod")
    stored(shipment)
    stored(shipment, "other.pdf")
    stored(shipment, "pod-note.pdf", "delivery_note")
    assert [run(), run()] == [1, 0]
    told = Notification.objects.get(user=admin_user, kind="automation")
    assert told.text == "tell me: N1" and told.url == f"/deliveries/{shipment.pk}/"
    client = client_as(admin_user)
    assert "Rule “tell me”" in client.get(f"/deliveries/{shipment.pk}/?show=rule").content.decode()
    assert "pod.pdf" in client.get(f"/documents/rules/{made.pk}/").content.decode()
    assert client.get("/documents/rules/").status_code == 200


def test_a_change_of_status_counts_once_whatever_else_changes(shipment: Shipment, admin_user: User) -> None:
    rule(admin_user, trigger=Trigger.STATUS, status="delivery_failed")
    now = timezone.now()
    Shipment.objects.filter(pk=shipment.pk).update(status="delivery_failed", status_at=now, updated=now)
    assert run() == 1
    Shipment.objects.filter(pk=shipment.pk).update(updated=timezone.now(), customer="else")
    assert run() == 0
    again = timezone.now()
    Shipment.objects.filter(pk=shipment.pk).update(status_at=again + timedelta(seconds=2), updated=again)
    assert run() == 1, "the same status for another reason, later, is another happening"


def test_an_old_status_is_left_alone(shipment: Shipment, admin_user: User) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(status="on_hold", status_at=timezone.now() - timedelta(days=1))
    rule(admin_user, trigger=Trigger.STATUS, status="on_hold")
    Shipment.objects.filter(pk=shipment.pk).update(updated=timezone.now())
    assert run() == 0


def test_what_became_overdue_is_made_as_one_batch(carrier: Carrier, admin_user: User) -> None:
    Function.objects.create(name="render", region="eu-central-1", account="1", arn="arn:r", memory_mb=128, timeout_s=30)
    CapabilityBinding.objects.create(capability="render_pdf", function_name="render", region="eu-central-1")
    made = rule(admin_user, trigger=Trigger.OVERDUE, action=Action.MAKE, make_type="delivery_note", people=[])
    for number in range(3):
        shipment = Shipment.objects.create(carrier=carrier, tracking_number=f"N{number}")
        ExpectedDocument.objects.create(
            shipment=shipment, document_type="delivery_note", carrier=carrier, obtain="make", state="overdue",
            since=timezone.now(), due=timezone.now(),
        )  # fmt: skip
    assert [run(), run()] == [3, 0]
    batch = Batch.objects.get()
    assert (batch.total, batch.context["type"]) == (3, "delivery_note")
    assert set(AutomationRun.objects.values_list("batch", flat=True)) == {batch.pk}
    assert made.name in batch.title


def test_a_rule_that_fails_says_why_hinders_no_other_and_looks_again(shipment: Shipment, admin_user: User) -> None:
    broken = rule(admin_user, name="a broken one", action=Action.MAKE, make_type="nonsense", people=[])
    rule(admin_user, name="b works")
    rule(admin_user, name="c has no delivery to work on", action=Action.FETCH, people=[], text="stray")
    stored(shipment)
    stored(None, "stray.pdf")
    assert run() == 3
    assert "no delivery" in AutomationRun.objects.get(automation__name__startswith="c").detail
    broken.refresh_from_db()
    assert broken.problem and not broken.runs.exists()
    assert broken.looked < timezone.now()


def test_trying_out_counts_and_writes_nothing(shipment: Shipment, admin_user: User, client_as: ClientAs) -> None:
    stored(shipment)
    values = {
        "name": "n", "trigger": "stored", "document_type": "proof_of_delivery", "action": "notify", "people": admin_user.username,
    }  # fmt: skip
    client = client_as(admin_user)
    page = client.get("/documents/rules/new/", values).content.decode()
    assert "it would have fired once" in page and "pod.pdf" in page
    assert not Automation.objects.exists() and not Notification.objects.exists()
    wrong = client.get("/documents/rules/new/", values | {"people": "nobody"})
    assert wrong.status_code == 400 and "Nobody is called nobody" in wrong.content.decode()
    for missing in ({"action": "make"}, {"action": "run", "function_name": "none"}, {"trigger": "status"}):
        assert client.get("/documents/rules/new/", values | missing).status_code == 400
    assert client.post("/documents/rules/new/", values).status_code == 302
    assert run() == 0, "what happened before is left alone"
    made = Automation.objects.get()
    client.post(f"/documents/rules/{made.pk}/switch/")
    stored(shipment, "second.pdf")
    client.post(f"/documents/rules/{made.pk}/switch/", {"on": "1"})
    assert run() == 0, "what happened while it was off is left alone"
    assert list(AuditEntry.objects.filter(verb__startswith="automation.").order_by("pk").values_list("verb", flat=True)) == [
        "automation.made", "automation.off", "automation.on",
    ]  # fmt: skip


def test_only_admins_change_rules(operator: User, admin_user: User, client_as: ClientAs) -> None:
    made = rule(admin_user)
    client = client_as(operator)
    assert client.get("/documents/rules/").status_code == 200
    for address in ("new/", f"{made.pk}/change/"):
        assert client.get(f"/documents/rules/{address}").status_code == 403
    assert client.post(f"/documents/rules/{made.pk}/switch/").status_code == 403


def test_words_in_the_text_count_once_it_is_read_and_people_are_asked(shipment: Shipment, admin_user: User) -> None:
    rule(admin_user, name="damage", text="broken pallet", words="Who calls the customer?")
    stored(shipment, "scan.pdf")
    assert run() == 0
    document = Document.objects.get()
    DocumentText.objects.create(document=document, text="Delivered with a broken pallet", language="en")
    assert [run(), run()] == [1, 0]
    assert Notification.objects.get(kind="automation").text == "Who calls the customer?: N1"
    assert "Who calls the customer?" in AutomationRun.objects.get().detail


def test_a_stray_document_is_attached_when_it_names_one_delivery(shipment: Shipment, admin_user: User) -> None:
    rule(admin_user, name="strays", action=Action.ATTACH, people=[])
    other = Shipment.objects.create(carrier=shipment.carrier, tracking_number="N2")
    for name, named in (("one.pdf", [shipment]), ("two.pdf", [shipment, other])):
        stored(None, name)
        document = Document.objects.get(name=name)
        DocumentText.objects.create(document=document, text=name)
        for found in named:
            MatchCandidate.objects.create(document=document, shipment=found, confidence=0.7)
    assert [run(), run()] == [2, 0]
    assert set(Document.objects.values_list("name", "shipment")) == {("one.pdf", shipment.pk), ("two.pdf", None)}
    assert "1 of 2 attached" in AutomationRun.objects.first().detail  # type: ignore[union-attr]  # it is there
