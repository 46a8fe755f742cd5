"""What the API takes for writes. Deliveries and events are checked by the rules of imports; the rest here."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.api.strict import StrictSerializer
from shipments.api.intake_serializers import BulkRowSerializer
from shipments.choices import DocumentType, Status
from shipments.models import Carrier, Shipment


class ShipmentCreateSerializer(BulkRowSerializer):
    """For the description only: a delivery is checked as a row of a file is."""


class PartySerializer(serializers.Serializer[Any]):
    """For the description only."""

    name = serializers.CharField(required=False, allow_null=True)
    street = serializers.CharField(required=False, allow_null=True)
    postcode = serializers.CharField(required=False, allow_null=True)
    city = serializers.CharField(required=False, allow_null=True)
    country = serializers.CharField(required=False, allow_null=True, help_text="two letters")
    phone = serializers.CharField(required=False, allow_null=True)
    vat = serializers.CharField(required=False, allow_null=True)
    eori = serializers.CharField(required=False, allow_null=True)


class ShipmentChangeSerializer(serializers.Serializer[Any]):
    """For the description only. What is not stated stays; null takes a value away."""

    reference = serializers.CharField(required=False, allow_null=True)
    customer = serializers.CharField(required=False, allow_null=True)
    incoterm = serializers.CharField(required=False, allow_null=True, help_text="like DAP")
    sender = PartySerializer(required=False, allow_null=True)
    recipient = PartySerializer(required=False, allow_null=True)
    parcels = serializers.ListField(child=serializers.DictField(), required=False, allow_null=True)
    notes = serializers.CharField(required=False, allow_null=True)
    promised = serializers.DateTimeField(required=False, allow_null=True)
    status = serializers.ChoiceField(
        choices=Status.choices, required=False, help_text="Becomes an event; refused when it does not follow from that."
    )
    reason = serializers.CharField(required=False, help_text="Only together with a status.")
    status_at = serializers.DateTimeField(required=False, help_text="When it happened; now, when left out.")


class EventCreateSerializer(serializers.Serializer[Any]):
    """For the description only: an event is checked as those of carriers' webhooks are."""

    at = serializers.DateTimeField(help_text="With its zone.")
    code = serializers.CharField(required=False, help_text="As the carrier sends it; its mapping says what it means.")
    text = serializers.CharField(required=False)
    place = serializers.CharField(required=False)
    status = serializers.ChoiceField(
        choices=Status.choices, required=False, help_text="What it means, said outright instead of by its code."
    )
    reason = serializers.CharField(required=False, help_text="Only together with a status.")


class DocumentUploadSerializer(StrictSerializer):
    file = serializers.FileField(help_text="PDF, PNG, JPEG or TIFF, at most 50 MiB.")
    type = serializers.ChoiceField(choices=DocumentType.choices)
    name = serializers.CharField(max_length=200, required=False, help_text="When it shall not be that of the file.")


class MessageCreateSerializer(StrictSerializer):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", queryset=Carrier.objects.all())
    tracking_number = serializers.CharField(required=False, max_length=40)
    code = serializers.CharField(required=False, allow_blank=True, max_length=80)
    text = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    received = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("text") and not attrs.get("code"):
            raise serializers.ValidationError({"text": ["A message needs a text or a code."]}, code="missing")
        number = attrs.pop("tracking_number", None)
        if number:
            attrs["shipment"] = Shipment.objects.filter(carrier=attrs["carrier"], tracking_number=number).first()
            if attrs["shipment"] is None:
                words = "This carrier has no delivery of that number."
                raise serializers.ValidationError({"tracking_number": [words]}, code="unknown_tracking_number")
        return attrs


class MessageCorrectionSerializer(StrictSerializer):
    """What a person says it means."""

    status = serializers.ChoiceField(choices=Status.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=50, default="")
    applied = serializers.BooleanField(
        required=False, default=True, help_text="whether it counts for the status of its delivery"
    )


class MappingCreateSerializer(StrictSerializer):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", queryset=Carrier.objects.all())
    code = serializers.CharField(max_length=40)
    status = serializers.ChoiceField(choices=Status.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=50, default="")
    valid_from = serializers.DateField(
        required=False, help_text="For events from that day on; left out, for all there are."
    )
