"""Other bytes under the same name are a new version; the same bytes elsewhere are kept once; deletions can be undone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from core.models import AuditEntry
from shipments.documents import changes, retention
from shipments.models import Document, RetentionRule, Shipment
from tests.documents import made
from tests.shipments.finding import deliveries


def states(shipment: Shipment) -> list[tuple[int, str, bool]]:
    rows = Document.objects.filter(shipment=shipment).order_by("version", "pk")
    return [(row.version, row.state, row.superseded) for row in rows]


def test_a_new_version_replaces_and_the_older_ones_stay_reachable(
    keep: Any, delivery: Shipment, client_as: Any, viewer: User
) -> None:
    first, second = (keep(made.pdf(text), "pod.pdf", shipment=delivery) for text in ("one", "two"))
    assert states(delivery) == [(1, "stored", True), (2, "stored", False)]
    keep(made.pdf("three")[:-30], "pod.pdf", shipment=delivery)
    assert states(delivery)[1:] == [(2, "stored", False), (3, "quarantined", False)], "a bad one replaces nothing"
    client = client_as(viewer)
    shown = [row["document"].pk for row in client.get("/documents/").context["rows"]]
    assert first.pk not in shown and second.pk in shown
    assert first.pk in [row["document"].pk for row in client.get("/documents/?older=true").context["rows"]]
    assert f"/documents/{first.pk}/" in client.get(f"/documents/{second.pk}/").content.decode()
    keep(made.pdf("other name"), "second.pdf", shipment=delivery)
    assert Document.objects.get(name="second.pdf").version == 1


def test_a_released_version_replaces_and_a_deleted_one_gives_way(
    keep: Any, delivery: Shipment, admin_user: User
) -> None:
    keep(made.pdf("one"), "pod.pdf", shipment=delivery)
    bad = keep(made.with_a_file_inside(), "pod.pdf", shipment=delivery)
    changes.release(bad, actor=admin_user, reason="it is an invoice with its data")
    assert states(delivery) == [(1, "stored", True), (2, "stored", False)]
    changes.delete(bad, actor=admin_user)
    assert states(delivery) == [(1, "stored", False), (2, "deleted", False)]
    changes.restore(bad, actor=admin_user)
    assert states(delivery) == [(1, "stored", True), (2, "stored", False)]


def test_bytes_are_kept_once_and_removed_with_the_last(keep: Any, client_as: Any, operator: User) -> None:
    one, other = deliveries(2)
    content = made.pdf("terms and conditions")
    first, second = keep(content, shipment=one), keep(content, "b.pdf", shipment=other)
    assert first.file.name == second.file.name and first.pk != second.pk
    page = client_as(operator).get(f"/documents/{first.pk}/").content.decode()
    assert "The same file also at" in page and other.tracking_number in page
    for document in (first, second):
        assert Path(document.file.path).exists()
        client_as(operator).post(f"/documents/{document.pk}/delete/")
        assert retention.empty_bin() == 0
        assert retention.empty_bin(timezone.now() + timedelta(days=31)) == 1
    assert not Path(first.file.path).exists()


def test_deleted_is_out_of_sight_and_comes_back(keep: Any, client_as: Any, operator: User, delivery: Shipment) -> None:
    document = keep(made.pdf("x"), shipment=delivery)
    client = client_as(operator)
    client.post(f"/documents/{document.pk}/delete/")
    assert client.get("/documents/").context["rows"] == []
    assert b"Take the deletion back" in client.get(f"/documents/{document.pk}/").content
    client.post(f"/documents/{document.pk}/restore/")
    assert len(client.get("/documents/").context["rows"]) == 1
    client.post(f"/documents/{document.pk}/delete/")
    assert keep(made.pdf("x"), shipment=delivery).state == "stored", "brought again, it is back"
    assert AuditEntry.objects.filter(verb="document.restored").count() == 2


def test_type_and_delivery_can_be_mended(keep: Any, delivery: Shipment, client_as: Any, operator: User) -> None:
    other = deliveries(1)[0]
    document = keep(made.pdf("x"), shipment=delivery)
    client = client_as(operator)
    client.post(f"/documents/{document.pk}/type/", {"type": "label"})
    client.post(f"/documents/{document.pk}/type/", {"type": "nonsense"})
    client.post(f"/documents/{document.pk}/attach/", {"number": other.tracking_number.lower()})
    document.refresh_from_db()
    assert (document.type, document.shipment) == ("label", other)
    twin = keep(made.pdf("x"), shipment=delivery, type="label")
    answer = client.post(f"/documents/{twin.pk}/attach/", {"number": other.tracking_number}, follow=True)
    assert b"has the very same file" in answer.content
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"document.type_changed", "document.attached"} <= verbs


def test_retention_deletes_by_type_and_never_what_is_held_or_in_quarantine(
    keep: Any, operator: User, admin_user: User, client_as: Any
) -> None:
    old, new = deliveries(2, status="delivered")
    Shipment.objects.filter(pk=old.pk).update(delivered=timezone.now() - timedelta(days=400))
    Shipment.objects.filter(pk=new.pk).update(delivered=timezone.now() - timedelta(days=40))
    goes = keep(made.pdf("goes"), "1.pdf", shipment=old, type="label")
    stays = [
        keep(made.pdf("held"), "2.pdf", shipment=old, type="label"),
        keep(made.HTML, "3.pdf", shipment=old, type="label"),
        keep(made.pdf("new"), "4.pdf", shipment=new, type="label"),
        keep(made.pdf("other type"), "5.pdf", shipment=old, type="cmr_waybill"),
        keep(made.pdf("whose?"), "6.pdf", type="label"),
    ]
    changes.hold(stays[0], actor=operator, held=True, reason="a claim is open")
    rule = RetentionRule.objects.create(type="label", months=12)
    assert retention.would_delete(rule).n == 1
    assert b'field-deletes_now">1<' in client_as(admin_user).get("/admin/shipments/retentionrule/").content
    assert retention.apply_rules() == {}, "a rule that is not active does nothing"
    RetentionRule.objects.update(active=True)
    assert retention.apply_rules(dry_run=True) == {"label": 1}
    assert retention.apply_rules() == {"label": 1}
    assert set(Document.objects.all()) == set(stays)
    assert not Path(goes.file.path).exists()
    assert AuditEntry.objects.get(verb="documents.retention").after == {"deleted": 1}


def test_the_store_is_verified_and_what_is_changed_or_lost_is_quarantined(
    keep: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    good, changed, lost = (keep(made.pdf(text), f"{text}.pdf") for text in ("good", "changed", "lost"))
    Path(changed.file.path).write_bytes(made.pdf("forged"))
    Path(lost.file.path).unlink()
    with pytest.raises(SystemExit):
        call_command("verify_documents")
    assert "1 as they were kept, 2 not" in capsys.readouterr().out
    found = dict(Document.objects.values_list("name", "problem"))
    assert found["good.pdf"] == ""
    assert "not the ones that were kept" in found["changed.pdf"] and "not in the document store" in found["lost.pdf"]
    assert good.state == "stored"
