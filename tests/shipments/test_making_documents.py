"""Documents by batch: options on the plan page and over the API, manifests by carrier, templates by carrier and language.

The function is our own, run by the local AWS.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from services_registry import capabilities
from services_registry.batches import drain, plan_batch, retry_failed, start_batch
from services_registry.capabilities import Asked, SelectionError
from services_registry.choices import BatchState
from services_registry.models import Batch, Function
from shipments.deliveries.importer import import_shipments
from shipments.documents.templates import Choice, open_template, save_version, use_version
from shipments.models import Carrier, Document, Letterhead, Shipment
from shipments.sample import sample_shipments_csv
from tests.shipments.renderer import NAME, renderer

__all__ = ["renderer"]


@pytest.fixture
def deliveries(db: None) -> list[Shipment]:
    import_shipments(io.BytesIO(sample_shipments_csv(8, 5).encode()))
    Function.objects.create(
        account="123456789012", region=settings.AWS_REGION, name=NAME, memory_mb=1769, timeout_s=180, arn=NAME,
        runtime="python3.13",
    )  # fmt: skip
    return list(Shipment.objects.select_related("carrier").order_by("pk"))


def done(batch: Batch) -> Batch:
    def over() -> bool:
        batch.refresh_from_db()
        return batch.state in (BatchState.DONE, BatchState.HALTED)

    assert drain(over), batch.state
    return batch


def made(person: User, rows: list[Shipment], **context: Any) -> Batch:
    keys = [str(row.pk) for row in rows]
    return done(
        start_batch(capability="render_pdf", selection={"keys": keys}, actor=person, source="api", context=context)
    )


def text_of(document: Document) -> str:
    with document.file.open("rb") as stream, pypdfium2.PdfDocument(stream.read()) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_batch_makes_what_was_asked_for(renderer: str, operator: User, deliveries: list[Shipment]) -> None:
    """One start of the function for all of it: types, languages, letterhead, manifests, templates, retries."""
    Letterhead.objects.create(name="Iberfleet", lines="Muelle 4\nValencia")
    batch = made(
        operator, deliveries, type="commercial_invoice", language="recipient", incoterm="DAP", export_reason="gift"
    )
    assert batch.succeeded == 8 and "commercial invoice" in batch.title
    french = next(row for row in deliveries if row.recipient["country"] == "FR")
    text = text_of(Document.objects.get(shipment=french, type="commercial_invoice"))
    assert "Facture commerciale" in text and "DAP" in text and "Cadeau" in text and "Iberfleet" in text

    _incomplete_ones_are_named(operator, deliveries[0])
    _manifests(operator, deliveries)
    _templates(operator, deliveries)


def _incomplete_ones_are_named(operator: User, row: Shipment) -> None:
    kept = row.parcels
    Shipment.objects.filter(pk=row.pk).update(parcels=[{"number": "1", "description": "books"}])
    batch = made(operator, [row], type="commercial_invoice")
    item = batch.items.get()
    assert (batch.failed, item.error_type) == (1, "MissingData")
    assert "parcels[0].value, parcels[0].currency, parcels[0].hs_code, parcels[0].origin" in item.error_message
    Shipment.objects.filter(pk=row.pk).update(parcels=kept)
    again = done(retry_failed(batch, actor=operator))
    assert again.succeeded == 1, again.items.values("error_type", "error_message", "state")
    assert Document.objects.filter(shipment=row, type="commercial_invoice").count() == 2


def _manifests(operator: User, rows: list[Shipment]) -> None:
    carriers = {row.carrier_id for row in rows}
    batch = made(operator, rows, type="manifest", language="es")
    assert batch.total == batch.succeeded == len(carriers)
    documents = Document.objects.filter(type="manifest").order_by("pk")
    assert {document.carrier_id for document in documents} == carriers and not any(one.shipment_id for one in documents)
    texts = "".join(text_of(document) for document in documents)
    assert "Manifiesto de carga" in texts and all(row.tracking_number in texts for row in rows)
    kind = capabilities.get("render_pdf")
    files = list(kind.files(batch, list(batch.items.values_list("key", flat=True))))
    assert len(files) == len(carriers) and all(file.name.startswith("manifest-") for file in files)


def _templates(operator: User, rows: list[Shipment]) -> None:
    carrier = rows[0].carrier
    template = open_template(document_type="delivery_note", carrier=carrier, language="", actor=operator)
    version = save_version(
        template, html="<p>OURS {{ shipment.reference }}</p>", css="", note="", actor=operator, use=True
    )
    batch = made(operator, rows, type="delivery_note")
    assert batch.succeeded == 8
    for document in Document.objects.filter(batch=batch).select_related("shipment"):
        ours = document.shipment is not None and document.shipment.carrier_id == carrier.pk
        assert ("OURS PO-" in text_of(document)) == ours == (document.template_version_id == version.pk)
    assert made(operator, rows[:1], type="delivery_note", template="0").succeeded == 1
    assert Document.objects.filter(shipment=rows[0], type="delivery_note", template_version=None).exists()
    broken = save_version(template, html="a\n{{ nothing }}", css="", note="", actor=operator, use=True)
    item = made(operator, rows[:1], type="delivery_note").items.get()
    assert item.error_type == "BadTemplate" and "line 2" in item.error_message
    assert made(operator, rows[:1], type="delivery_note", template=str(version.pk)).succeeded == 1
    use_version(template, None, actor=operator)
    assert broken.number == 2 and not Choice("delivery_note")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"type": "proof_of_delivery"}, "type"),
        ({"language": "xx"}, "language"),
        ({"template": "999"}, "template"),
        ({"incoterm": "ABC"}, "incoterm"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    options: dict[str, str], said: str, operator: User, deliveries: list[Shipment], api_client: Callable[[User], Any]
) -> None:
    with pytest.raises(SelectionError, match=said):
        plan_batch("render_pdf", {"keys": [str(deliveries[0].pk)]}, context=options)
    body = {"capability": "render_pdf", "selection": {"keys": [str(deliveries[0].pk)]}, "context": options}
    answer = api_client(operator).post("/api/v1/batches/", body, format="json")
    assert answer.status_code == 400 and said in json.dumps(answer.json()) and not Batch.objects.exists()


@pytest.mark.django_db
def test_the_words_of_earlier_calls_still_mean_the_same() -> None:
    options = capabilities.get("render_pdf").options({"locale": "de"})
    assert (options["type"], options["language"]) == ("delivery_note", "de")


@pytest.mark.django_db
def test_the_plan_page_asks_for_type_and_language(
    operator: User, deliveries: list[Shipment], client_as: Callable[[User], Client]
) -> None:
    client = client_as(operator)
    chosen = {"capability": "render_pdf", "keys": [row.pk for row in deliveries]}
    page = client.post("/batches/plan/", chosen).content.decode()
    assert 'name="option-type"' in page and 'name="option-language"' in page and 'data-plan-items="8"' in page
    form = {
        "capability": "render_pdf", "selection": json.dumps({"keys": [str(row.pk) for row in deliveries]}), "context": "{}",
        "idempotency_key": "k-1", "option-type": "manifest", "option-language": "pt",
    }  # fmt: skip
    page = client.post("/batches/plan/", form).content.decode()
    assert (
        f'data-plan-items="{len({row.carrier_id for row in deliveries})}"' in page
        and "Make documents: manifest" in page
    )
    wrong = client.post("/batches/start/", form | {"option-language": "xx"})
    assert wrong.status_code == 400 and not Batch.objects.exists()
    client.post("/batches/start/", form)
    batch = Batch.objects.get()
    assert batch.context["type"] == "manifest" and batch.context["language"] == "pt" and "manifest" in batch.title


@pytest.mark.django_db
def test_a_page_may_choose_the_type_beforehand(
    operator: User, deliveries: list[Shipment], client_as: Callable[[User], Client]
) -> None:
    chosen = {"capability": "render_pdf", "keys": deliveries[0].pk, "context": '{"type": "label", "language": "it"}'}
    page = client_as(operator).post("/batches/plan/", chosen).content.decode()
    assert '<option value="label" selected>' in page and '<option value="it" selected>' in page


@pytest.mark.django_db
def test_the_closest_template_counts(operator: User, deliveries: list[Shipment]) -> None:
    carrier, other = Carrier.objects.order_by("pk")[:2]
    versions = {}
    for name, whose, language in (
        ("all", None, ""),
        ("german", None, "de"),
        ("carrier", carrier, ""),
        ("both", carrier, "de"),
    ):
        template = open_template(document_type="label", carrier=whose, language=language, actor=operator)
        versions[name] = save_version(template, html=name, css="", note="", actor=operator, use=True).pk
    choice = Choice("label")
    found = [
        choice.version_of(*key) for key in ((carrier.pk, "de"), (carrier.pk, "fr"), (other.pk, "de"), (other.pk, "fr"))
    ]
    assert found == [versions["both"], versions["carrier"], versions["german"], versions["all"]]
    keys = [str(row.pk) for row in deliveries]
    kind = capabilities.get("render_pdf")
    groups = kind.groups_of(keys, Asked({}, kind.options({"type": "label", "language": "recipient"})))
    for row in deliveries:
        german = row.recipient["country"] in ("DE", "CH")
        name = ("both" if german else "carrier") if row.carrier_id == carrier.pk else ("german" if german else "all")
        assert groups[str(row.pk)] == str(versions[name])
