"""What the API says about deliveries; field lists are explicit."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shipments.models import Carrier, CarrierMessage, Shipment, TrackingEvent


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
            "status_at", "last_event", "sender", "recipient", "destination_country", "parcels", "notes", "created",
            "promised", "delivered", "updated", "sample",
        ]  # fmt: skip


class EventSerializer(serializers.ModelSerializer[TrackingEvent]):
    class Meta:
        model = TrackingEvent
        fields = ["id", "at", "code", "text", "place", "status", "reason", "received"]


class MessageSerializer(serializers.ModelSerializer[CarrierMessage]):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", queryset=Carrier.objects.all())
    tracking_number = serializers.CharField(write_only=True, required=False, max_length=40)

    class Meta:
        model = CarrierMessage
        fields = [
            "id", "carrier", "tracking_number", "shipment", "code", "text", "received", "status", "reason", "confidence",
            "applied", "language", "translation", "decided_by", "decided", "sample",
        ]  # fmt: skip
        read_only_fields = [
            "shipment", "status", "reason", "confidence", "applied", "language", "translation", "decided_by", "decided",
            "sample",
        ]  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("text") and not attrs.get("code"):
            raise serializers.ValidationError({"text": ["A message needs a text or a code."]})
        number = attrs.pop("tracking_number", None)
        if number:
            attrs["shipment"] = Shipment.objects.filter(carrier=attrs["carrier"], tracking_number=number).first()
            if attrs["shipment"] is None:
                raise serializers.ValidationError({"tracking_number": ["This carrier has no delivery of that number."]})
        return attrs


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
