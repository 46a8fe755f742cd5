"""How batches, chunks and items are written in the API, and what it takes to start and change them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.strict import StrictSerializer
from services_registry import batches as engine
from services_registry.batches.progress import Progress, progress_of
from services_registry.choices import Priority
from services_registry.models import Batch, BatchItem

PRIORITIES = {priority.name.lower(): priority for priority in Priority}
MOST_AT_ONCE = 1_000
SHARED_OPTIONS = ("concurrency", "priority", "max_failed", "max_failed_percent", "chunk_size")


class PriorityField(serializers.ChoiceField):
    """`low`, `normal` or `high`; the number behind it is nobody's business."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=list(PRIORITIES), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return PRIORITIES[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> str:
        return Priority(value).name.lower()


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch in the list."""

    pending = serializers.IntegerField(read_only=True)
    priority = PriorityField(read_only=True)
    percent = serializers.SerializerMethodField(help_text="of the items; 100 only when nothing is pending")

    class Meta:
        model = Batch
        fields = [
            "id", "title", "capability", "function_name", "region", "qualifier", "state", "state_note",
            "cancel_requested", "parent", "schedule", "chunk_size", "concurrency", "priority", "max_failed",
            "max_failed_percent", "repeatable", "created_by_name", "source", "reason", "sample", "created", "finished",
            "total", "succeeded", "failed", "cancelled", "pending", "percent",
        ]  # fmt: skip
        read_only_fields = fields

    def get_percent(self, batch: Batch) -> int:
        return progress_of(batch).percent


class UnderWaySerializer(serializers.Serializer[Any]):
    """Invocations that cannot be ended."""

    count = serializers.IntegerField()
    quiet_at = serializers.DateTimeField(allow_null=True, help_text="when the last of them must be over")


class BatchDetailSerializer(BatchSerializer):
    """One batch with what was asked, what was predicted and how it goes."""

    elapsed_s = serializers.SerializerMethodField(help_text="since the start, or until the end")
    eta_s = serializers.SerializerMethodField(help_text="seconds left at the present pace; null while unknown")
    items_per_second = serializers.SerializerMethodField(help_text="since the start; null while nothing is settled")
    under_way = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields = [
            *BatchSerializer.Meta.fields, "selection", "context", "plan", "splits", "elapsed_s", "eta_s",
            "items_per_second", "under_way",
        ]  # fmt: skip
        read_only_fields = fields

    def get_elapsed_s(self, batch: Batch) -> float:
        return _progress(batch).elapsed_s

    def get_eta_s(self, batch: Batch) -> float | None:
        return _progress(batch).eta_s

    def get_items_per_second(self, batch: Batch) -> float | None:
        return _progress(batch).overall

    @extend_schema_field(UnderWaySerializer)
    def get_under_way(self, batch: Batch) -> Any:
        return UnderWaySerializer(engine.under_way(batch)).data


def _progress(batch: Batch) -> Progress:
    return progress_of(batch)


class ChunkSerializer(serializers.Serializer[Any]):
    """How one invocation of a batch went."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    state = serializers.CharField()
    outcome = serializers.CharField()
    items_total = serializers.IntegerField()
    items_succeeded = serializers.IntegerField()
    items_failed = serializers.IntegerField()
    attempt = serializers.IntegerField(help_text="how often it was invoked")
    waits = serializers.IntegerField(help_text="how often AWS put it off without running it")
    not_before = serializers.DateTimeField(allow_null=True)
    started = serializers.DateTimeField(allow_null=True)
    finished = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True, help_text="of the last invocation, by our own clock")
    request_id = serializers.CharField()
    request_bytes = serializers.IntegerField(allow_null=True)
    response_bytes = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)
    billed_ms = serializers.IntegerField(allow_null=True, help_text="over all its invocations of which that is known")
    billed_invocations = serializers.IntegerField()
    init_ms = serializers.FloatField(allow_null=True, help_text="present on a cold start only")
    memory_mb = serializers.IntegerField(allow_null=True)
    max_memory_mb = serializers.IntegerField(allow_null=True)
    error_type = serializers.CharField()
    error_message = serializers.CharField()
    error_stack = serializers.CharField()
    log_tail = serializers.CharField(help_text="the last 4 kB of the log, where AWS sent them")
    response = serializers.JSONField(allow_null=True, help_text="the answer of a plain JSON run")


class BatchItemSerializer(serializers.ModelSerializer[BatchItem]):
    class Meta:
        model = BatchItem
        fields = [
            "position", "key", "label", "state", "outcome", "error_type", "error_message", "duration_ms", "result",
            "settled",
        ]  # fmt: skip
        read_only_fields = fields


class StartSerializer(StrictSerializer):
    """Either `capability` with `selection`, or `function` with one `payload` or many `payloads`."""

    capability = serializers.CharField(max_length=60, required=False)
    selection = serializers.DictField(required=False, help_text='{"keys": [...]} or {"query": {...}}')
    context = serializers.DictField(  # type: ignore[assignment]  # the envelope's word; the base means another context
        required=False, help_text="options for the whole batch; no secrets"
    )
    function = serializers.CharField(max_length=140, required=False)
    payload = serializers.JSONField(required=False)
    payloads = serializers.ListField(
        child=serializers.JSONField(), required=False, allow_empty=False, help_text="one item each"
    )
    chunked = serializers.BooleanField(
        required=False, help_text="with `payloads`: several in one invocation, in the batch envelope"
    )
    repeatable = serializers.BooleanField(
        required=False, help_text="with `payloads`: an invocation whose answer got lost may be sent again"
    )
    region = serializers.CharField(max_length=30, required=False, default="")
    qualifier = serializers.CharField(max_length=128, required=False, default="")
    chunk_size = serializers.IntegerField(min_value=1, required=False, help_text="never more than the planner's")
    concurrency = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE, required=False)
    priority = PriorityField(required=False)
    max_failed = serializers.IntegerField(min_value=0, required=False, help_text="halts when more items have failed")
    max_failed_percent = serializers.IntegerField(min_value=0, max_value=100, required=False)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    title = serializers.CharField(max_length=200, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("capability" in attrs) == ("function" in attrs):
            raise serializers.ValidationError("Name either a capability or a function.")
        if "capability" in attrs and "selection" not in attrs:
            raise serializers.ValidationError({"selection": ["Needed with a capability."]})
        if "function" in attrs and ("payload" in attrs) == ("payloads" in attrs):
            needed = "With a function goes either one payload (send {} for an empty one) or a list of payloads."
            raise serializers.ValidationError({"payload": [needed]})
        _refuse_unused(attrs)
        return attrs


def _refuse_unused(attrs: dict[str, Any]) -> None:
    """What would have no effect is refused with the reason, rather than dropped."""
    names: tuple[str, ...]
    if "capability" in attrs:
        names, why = ("payload", "payloads", "chunked", "repeatable", "region", "qualifier"), "Only with a function."
    elif "payload" in attrs:
        names = ("selection", "context", "chunked", "repeatable", *SHARED_OPTIONS)
        why = "One payload is one invocation; this needs `payloads` or a capability."
    else:
        names, why = ("selection", "context"), "Only with a capability."
    if unused := {name: [why] for name in names if attrs.get(name, "") != ""}:
        raise serializers.ValidationError(unused)


class AdjustSerializer(StrictSerializer):
    """What may change while a batch is open. Left out: stays as it is; null: no such limit."""

    concurrency = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE, required=False)
    priority = PriorityField(required=False)
    max_failed = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    max_failed_percent = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = [str(name) for name in self.fields]
        names.remove("reason")
        if not set(attrs) & set(names):
            raise serializers.ValidationError(f"Name at least one of: {', '.join(names)}.")
        return attrs


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class ErrorCountSerializer(serializers.Serializer[Any]):
    error_type = serializers.CharField()
    items = serializers.IntegerField()


class RetryPreviewSerializer(serializers.Serializer[Any]):
    """What a retry would do now. Nothing is done by asking."""

    items = serializers.IntegerField(help_text="how many failed items it would try again")
    by_error = ErrorCountSerializer(many=True)
    labels = serializers.ListField(child=serializers.CharField(), help_text="the first five of them")
    running = serializers.UUIDField(allow_null=True, help_text="the retry that is under way; a second is refused")
