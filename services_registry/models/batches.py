"""A batch is one request by a person, a chunk is one invocation, an item is one shipment, file or message.

States of a batch:  running <-> paused (by a person) | halted (by its failure threshold);
                    running, paused or halted -> done | cancelled      (done covers partial failure; counters say which)
States of a chunk:  queued -> running -> done | failed | cancelled;  running -> queued when its worker vanished or AWS
                    put it off;  running -> checking when nobody knows whether its function ran -> done | failed
States of an item:  pending -> succeeded | failed | cancelled
"""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.choices import BatchState, ChunkState, ItemState, Outcome, Priority


class Batch(models.Model):
    """One trigger: who, why, what, and how far it is. Counters are kept with the items, in one transaction."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    capability = models.CharField(max_length=60, blank=True, help_text=_("empty: a plain JSON run of one function"))
    function_name = models.CharField(max_length=140)
    region = models.CharField(max_length=30, blank=True)
    qualifier = models.CharField(max_length=128, blank=True)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=BatchState, default=BatchState.RUNNING)
    # Nullable, so that batches without a key do not collide under the unique constraint.
    idempotency_key = models.CharField(max_length=120, null=True, blank=True, unique=True)  # noqa: DJ001
    asked_digest = models.CharField(
        max_length=64, blank=True, help_text=_("of what was asked for, so that a key is not used for something else")
    )
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    selection = models.JSONField(
        default=dict, blank=True, help_text=_("what was chosen, as the capability understands it")
    )
    context = models.JSONField(default=dict, blank=True, help_text=_("options for the whole batch; no secrets"))
    payload = models.JSONField(null=True, blank=True, help_text=_("the payload of a plain JSON run"))
    chunk_size = models.PositiveIntegerField(default=50)
    concurrency = models.PositiveIntegerField(
        default=4, help_text=_("most invocations at once; may be changed while it runs")
    )
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NORMAL)
    envelope = models.BooleanField(
        default=True, help_text=_("whether its function takes many items at once, in the batch envelope")
    )
    repeatable = models.BooleanField(
        default=False, help_text=_("whether an invocation whose answer got lost may simply be sent again")
    )
    max_failed = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("halt when more items than this have failed; empty: no limit")
    )
    max_failed_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("halt when more than this share of the settled items has failed")
    )
    cancel_requested = models.BooleanField(default=False)
    state_note = models.CharField(max_length=300, blank=True, help_text=_("why it is paused or halted, in words"))
    plan = models.JSONField(default=dict, blank=True, help_text=_("what was predicted at the start"))
    schedule = models.ForeignKey(
        "services_registry.BatchSchedule", null=True, blank=True, on_delete=models.SET_NULL, related_name="batches"
    )
    splits = models.PositiveIntegerField(default=0, help_text=_("how often a chunk was divided to find the bad item"))

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(max_length=150, blank=True)
    source = models.CharField(max_length=20, default="page")
    reason = models.CharField(max_length=300, blank=True)
    sample = models.BooleanField(default=False)
    created = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True, blank=True)

    total = models.PositiveIntegerField(default=0)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name_plural = _("batches")
        indexes = [
            models.Index(fields=["-created", "-id"], name="batch_recent"),
            models.Index(
                fields=["created"], condition=models.Q(state__in=["running", "paused", "halted"]), name="batch_open"
            ),
            models.Index(fields=["function_name", "-created"], name="batch_by_function"),
            # The single runs of a function, which are few among its batches.
            models.Index(fields=["function_name", "-created"], condition=models.Q(capability=""), name="batch_runs"),
            GinIndex(fields=["title"], opclasses=["gin_trgm_ops"], name="batch_title_trgm"),  # searched by ILIKE
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def pending(self) -> int:
        return max(0, self.total - self.succeeded - self.failed - self.cancelled)

    @property
    def settled(self) -> int:
        return self.total - self.pending


class Chunk(models.Model):
    """One invocation of a batch, claimed by conditional update, alive as long as its lease is renewed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own: the unique position serves it.
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    position = models.PositiveIntegerField()
    group = models.CharField(max_length=80, blank=True, help_text=_("what its items share, for example a connection"))
    depth = models.PositiveSmallIntegerField(default=0, help_text=_("how often the chunk it comes from was divided"))
    items_total = models.PositiveIntegerField(default=0)
    items_succeeded = models.PositiveIntegerField(default=0)
    items_failed = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=ChunkState, default=ChunkState.QUEUED)
    attempt = models.PositiveIntegerField(default=0, help_text=_("how often it was invoked"))
    waits = models.PositiveIntegerField(default=0, help_text=_("how often AWS put it off without running it"))
    waiting_since = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text=_("of the last invocation, by our own clock"))

    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    error_type = models.CharField(max_length=120, blank=True)
    error_message = models.TextField(blank=True)
    error_stack = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True, db_index=True, help_text=_("of the last invocation"))
    request_bytes = models.BigIntegerField(null=True, blank=True)
    response_bytes = models.BigIntegerField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    billed_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("sum over all its invocations of which that is known")
    )
    billed_invocations = models.PositiveIntegerField(default=0, help_text=_("how many are in billed_ms"))
    init_ms = models.FloatField(null=True, blank=True, help_text=_("present on a cold start only"))
    memory_mb = models.PositiveIntegerField(null=True, blank=True)
    max_memory_mb = models.PositiveIntegerField(null=True, blank=True)
    log_tail = models.TextField(blank=True)
    response = models.JSONField(null=True, blank=True, help_text=_("the answer of a plain JSON run"))

    class Meta:
        ordering = ["batch", "position"]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="chunk_unique_position")]
        indexes = [
            models.Index(fields=["batch", "position"], condition=models.Q(state="queued"), name="chunk_queued"),
            models.Index(
                fields=["batch", "lease_until"],
                condition=models.Q(state__in=["running", "checking"]),
                name="chunk_open",
            ),
            models.Index(fields=["batch", "finished"], name="chunk_finished"),
        ]

    def __str__(self) -> str:
        return f"chunk {self.position} of {self.batch_id}"


class BatchItem(models.Model):
    """One thing to be done. `key` means something only to the capability; the engine never reads it."""

    # Nor a constraint: its chunk has one, and each costs a start of 50,000 items a quarter of a second.
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="items", db_index=False, db_constraint=False
    )
    chunk = models.ForeignKey(Chunk, null=True, blank=True, on_delete=models.SET_NULL, related_name="items")
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=80)
    label = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=12, choices=ItemState, default=ItemState.PENDING)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    error_type = models.CharField(max_length=120, blank=True)
    error_message = models.TextField(blank=True)
    duration_ms = models.FloatField(null=True, blank=True, help_text=_("inside the function, where it says so"))
    input = models.JSONField(null=True, blank=True, help_text=_("its payload, where the batch brought its own"))
    result = models.JSONField(null=True, blank=True, help_text=_("small facts the capability wants shown"))
    settled = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["batch", "position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="item_unique_position"),
            # The key first: it also answers "which batches worked on this delivery?".
            models.UniqueConstraint(fields=["key", "batch"], name="item_unique_key"),
        ]
        indexes = [
            models.Index(fields=["batch", "position"], condition=models.Q(state="failed"), name="item_failed"),
        ]

    def __str__(self) -> str:
        return self.label or self.key
