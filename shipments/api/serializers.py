"""What the API says about deliveries; field lists are explicit."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shipments.models import Carrier, CarrierMessage, Document, Shipment, TrackingEvent


class CarrierSerializer(serializers.ModelSerializer[Carrier]):
    class Meta:
        model = Carrier
        fields = ["code", "name", "active", "sample"]


class ShipmentSerializer(serializers.ModelSerializer[Shipment]):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", read_only=True)

    class Meta:
        model = Shipment
        fields = [
            "id", "carrier", "tracking_number", "reference", "customer", "status", "reason", "unmapped",
            "status_at", "last_event", "sender", "recipient", "destination_country", "incoterm", "parcels", "notes",
            "created", "promised", "delivered", "updated", "sample",
        ]  # fmt: skip


class EventSerializer(serializers.ModelSerializer[TrackingEvent]):
    class Meta:
        model = TrackingEvent
        fields = ["id", "at", "code", "text", "place", "status", "reason", "unmapped", "source", "received"]


class DocumentSerializer(serializers.ModelSerializer[Document]):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", read_only=True)
    snippet = serializers.SerializerMethodField(help_text="where the words of `q` stand, as HTML with <mark>")

    class Meta:
        model = Document
        fields = [
            "id", "shipment", "carrier", "type", "state", "problem", "name", "content_type", "bytes", "sha256", "pages",
            "source", "remote_path", "version", "superseded", "held", "extraction", "extraction_problem", "matching",
            "snippet", "created", "updated", "sample",
        ]  # fmt: skip

    def get_snippet(self, document: Document) -> str:
        return str(self.context.get("snippets", {}).get(document.pk, ""))


class MessageSerializer(serializers.ModelSerializer[CarrierMessage]):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", read_only=True)

    class Meta:
        model = CarrierMessage
        fields = [
            "id", "carrier", "shipment", "code", "text", "received", "status", "reason", "confidence", "applied",
            "language", "translation", "decided_by", "decided", "updated", "sample",
        ]  # fmt: skip
        read_only_fields = fields


class LinksSerializer(serializers.Serializer[Any]):
    """Where the parts of a delivery are, and its page for people."""

    events = serializers.URLField()
    documents = serializers.URLField()
    messages = serializers.URLField()
    page = serializers.URLField()


class ShipmentDetailSerializer(ShipmentSerializer):
    """One delivery. Its parts are there when `?include=` names them: the latest 500 of each."""

    links = LinksSerializer(read_only=True)
    events = EventSerializer(many=True, required=False)
    documents = DocumentSerializer(many=True, required=False)
    messages = MessageSerializer(many=True, required=False)

    class Meta(ShipmentSerializer.Meta):
        fields = [*ShipmentSerializer.Meta.fields, "links", "events", "documents", "messages"]
        read_only_fields = fields


class RefusedSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    field = serializers.CharField()
    reason = serializers.CharField()


class ImportSerializer(serializers.Serializer[Any]):
    rows = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField())
    errors = RefusedSerializer(many=True)  # type: ignore[assignment]  # the answer's word; the base means its own errors
