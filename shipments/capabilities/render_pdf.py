"""Shipping documents as PDF: one item is one shipment's document, or one carrier's manifest.

The options of a batch: `type` (a document we print), `language` (or "recipient": that of the recipient's country),
`template` (empty: the active one; "0": the built-in page; else the id of a version), `incoterm`, `export_reason`.
A chunk has one template; its group is the version's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.forms import Form
from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import (
    Asked,
    Capability,
    ItemFailed,
    ItemRef,
    OpenBinary,
    ResultFile,
    Selection,
    SelectionError,
)
from services_registry.models import Batch
from shipments.capabilities import manifests
from shipments.capabilities.lookup import document_files, manifest_files, shipment_keys
from shipments.capabilities.selection import resolve_rows
from shipments.choices import DocumentType, Language
from shipments.document_forms import DocumentOptionsForm
from shipments.documents.making import RECIPIENT, data_of, language_of
from shipments.documents.store import PDF, store_document
from shipments.documents.templates import Choice, content_of, letterhead
from shipments.filters import ShipmentFilter
from shipments.listing.search import with_ids
from shipments.models import Document, Shipment, TemplateVersion

BUILT_IN = "0"
ALIASES = {"locale": "language", "document_type": "type"}


class RenderPdf(Capability):
    slug = "render_pdf"
    label = _("Make documents")
    label_of_one = _("Make a document")
    item_noun = _("deliveries")
    item_model = "shipments.shipment"
    default_function = "shipments-render-pdf"
    default_chunk_size = 25

    def options_form(
        self, data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
    ) -> Form | None:
        return DocumentOptionsForm(data, initial=initial or {}, prefix="option")

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        named = {ALIASES.get(name, name): value for name, value in given.items()}
        unknown = sorted(set(named) - set(DocumentOptionsForm.base_fields))
        if unknown:
            raise SelectionError(f"Unknown option: {', '.join(unknown)}.", code="options")
        form = DocumentOptionsForm({"type": DocumentType.DELIVERY_NOTE, "language": Language.ENGLISH} | named)
        if not form.is_valid():
            why = "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items())
            raise SelectionError(why, code="options")
        return form.cleaned_data

    def title_of(self, asked: Asked) -> str:
        kind = DocumentType(asked.options.get("type", DocumentType.DELIVERY_NOTE))
        return str(_("Make documents: %(type)s")) % {"type": kind.label}

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        return resolve_rows(selection, Shipment.objects.all(), ShipmentFilter, "tracking_number", str(self.item_noun))

    def items_of(self, asked: Asked) -> Iterable[ItemRef]:
        items = self.resolve(asked.selection)
        return manifests.items_of(items) if _is_manifest(asked) else items

    def groups_of(self, keys: Sequence[str], asked: Asked) -> Mapping[str, str]:
        chosen = asked.options.get("template", "")
        if chosen:
            return dict.fromkeys(keys, "" if chosen == BUILT_IN else chosen)
        choice = Choice(_type(asked))
        if not choice:
            return {}
        if _is_manifest(asked):
            language = str(asked.options.get("language", ""))
            rows = [(key, manifests.carrier_of(key), language) for key in keys]
        else:
            found = with_ids(Shipment.objects.all(), map(int, keys)).values_list(
                "pk", "carrier_id", "recipient__country"
            )
            rows = [(str(pk), carrier, language_of(asked.options, country)) for pk, carrier, country in found]
        return {key: str(choice.version_of(carrier, language) or "") for key, carrier, language in rows}

    def context(self, batch: Batch, group: str) -> dict[str, Any]:
        options = Asked.of(batch).options
        language = options.get("language", Language.ENGLISH)
        context = {
            "document_type": options.get("type", DocumentType.DELIVERY_NOTE),
            "locale": Language.ENGLISH if language == RECIPIENT else language,
            "letterhead": letterhead(),
        }
        if group:
            version = TemplateVersion.objects.get(pk=int(group))
            context["template"] = content_of(version.html, version.css, version.pk)
        return context

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        return self.payloads_of(keys, Asked({}, {}))

    def payloads_of(self, keys: Sequence[str], asked: Asked) -> dict[str, dict[str, Any]]:
        if _is_manifest(asked):
            return manifests.payloads_of(keys, [int(item.key) for item in self.resolve(asked.selection)])
        rows = with_ids(Shipment.objects.select_related("carrier"), map(int, keys))
        extra = {name: asked.options[name] for name in ("incoterm", "export_reason") if asked.options.get(name)}
        return {
            str(row.pk): {
                "filename": _filename(_type(asked), row.tracking_number),
                "html": None,
                "locale": language_of(asked.options, str(row.recipient.get("country", ""))),
                "data": data_of(row) | _options(row, extra),
            }
            for row in rows
        }

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        shipment = None
        if not manifests.is_manifest(key):
            shipment = Shipment.objects.select_related("carrier").filter(pk=int(key)).first()
            if shipment is None:
                raise ItemFailed("Gone", "The delivery was deleted while its document was being made.")
        kind = str(value.get("document_type") or DocumentType.DELIVERY_NOTE)
        with open_binary(value["file"]) as stream:
            document, new = store_document(
                shipment=shipment,
                type=kind,
                content=stream,
                origin=str(value["file"].get("uri") or ""),
                name=str(value.get("filename") or _filename(kind, shipment.tracking_number if shipment else key)),
                content_type=str(value.get("content_type") or PDF),
                source="rendered",
                batch=batch,
            )
        if document.problem:
            raise ItemFailed("BadDocument", f"The function's answer is not a usable PDF: {document.problem}.")
        if new:
            _remember(document, key, int(value.get("template_version") or 0))
        return {"document": document.pk, "pages": document.pages, "bytes": document.bytes, "new": new}

    def find(self, text: str) -> list[str]:
        return shipment_keys(text)

    def files(self, batch: Batch, keys: Sequence[str]) -> Iterable[ResultFile]:
        yield from document_files(batch, [key for key in keys if not manifests.is_manifest(key)])
        yield from manifest_files(batch, [key for key in keys if manifests.is_manifest(key)])


def _remember(document: Document, key: str, version: int) -> None:
    """What the document was printed with; for a manifest, whose it is."""
    changes: dict[str, Any] = {"template_version": version} if version else {}
    if manifests.is_manifest(key):
        changes["carrier"] = manifests.carrier_of(key)
    if changes:
        Document.objects.filter(pk=document.pk).update(**changes)


def _type(asked: Asked) -> str:
    return str(asked.options.get("type") or DocumentType.DELIVERY_NOTE)


def _is_manifest(asked: Asked) -> bool:
    return _type(asked) == DocumentType.MANIFEST


def _options(shipment: Shipment, extra: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for with the batch; without an Incoterm there, the one of the delivery."""
    options = ({"incoterm": shipment.incoterm} if shipment.incoterm else {}) | dict(extra)
    return {"options": options} if options else {}


def _filename(kind: str, number: str) -> str:
    return f"{kind.replace('_', '-')}-{number}.pdf"
