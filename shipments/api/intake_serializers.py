"""What the API says about what comes in; field lists are explicit."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shipments.models import Carrier, ImportRun


class BulkRowSerializer(serializers.Serializer[Any]):
    """For the description only: rows are checked one by one, as those of files are."""

    carrier = serializers.CharField(help_text="Its code or name.")
    tracking_number = serializers.CharField(max_length=40)
    reference = serializers.CharField(required=False)
    customer = serializers.CharField(required=False)
    incoterm = serializers.CharField(required=False, help_text="like DAP")
    status = serializers.CharField(required=False)
    sender = serializers.DictField(child=serializers.CharField(), required=False)
    recipient = serializers.DictField(child=serializers.CharField(), required=False)
    parcels = serializers.ListField(child=serializers.DictField(), required=False)
    notes = serializers.CharField(required=False)
    created = serializers.DateTimeField(required=False)
    promised = serializers.DateTimeField(required=False)
    delivered = serializers.DateTimeField(required=False)


class RowErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class RowOutcomeSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=["created", "updated", "unchanged", "refused"])
    id = serializers.IntegerField(allow_null=True)
    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]  # the answer's word; the base means its own errors


class BulkAnswerSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    rows = RowOutcomeSerializer(many=True)


class ImportFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    carrier = serializers.SlugRelatedField[Carrier](slug_field="code", read_only=True)

    class Meta:
        model = ImportRun
        fields = [
            "id", "name", "state", "problem", "columns", "carrier", "bytes_total", "bytes_done", "rows",
            "created_count", "updated_count", "unchanged_count", "refused_count", "first_errors", "notes", "source",
            "created_by_name", "created", "started", "finished",
        ]  # fmt: skip


class HookEventSerializer(serializers.Serializer[Any]):
    tracking_number = serializers.CharField(max_length=40)
    at = serializers.DateTimeField(help_text="With its zone.")
    code = serializers.CharField(max_length=40, required=False)
    text = serializers.CharField(required=False)
    place = serializers.CharField(required=False)
    id = serializers.CharField(required=False)


class HookBodySerializer(serializers.Serializer[Any]):
    events = HookEventSerializer(many=True)


class FaultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


class HookAnswerSerializer(serializers.Serializer[Any]):
    delivery = serializers.IntegerField(help_text="Under which the body is kept.")
    again = serializers.BooleanField()
    events = serializers.IntegerField()
    new = serializers.IntegerField()
    known = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Events of tracking numbers that are not known yet.")
    refused = serializers.IntegerField()
    problems = FaultSerializer(many=True)
