"""Which documents a delivery should have, and what is being done about those it lacks."""

from datetime import UTC, datetime

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.models import Batch
from shipments.choices import (
    CLOSED_EXPECTATIONS,
    OPEN_EXPECTATIONS,
    DocumentType,
    DueAfter,
    ExpectedState,
    Lane,
    Obtain,
    Status,
    Turn,
)
from shipments.models.carriers import Carrier
from shipments.models.shipments import Shipment

SINGLETON = 1
NOT_KNOWN_YET = datetime(9999, 1, 1, tzinfo=UTC)
"""When a document is due whose delivery has not come so far yet: sorts last, and is shown as words."""


class DocumentRule(models.Model):
    """Deliveries of this kind, ordered from `valid_from` to before `valid_until`, need this document.

    A changed rule is a new row; the old one ends on that day and keeps holding for what was ordered before.
    """

    document_type = models.CharField(max_length=30, choices=DocumentType)
    carrier = models.ForeignKey(
        Carrier, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text=_("empty: all")
    )
    origin = models.CharField(max_length=2, blank=True, help_text=_("country of the sender, like ES; empty: any"))
    destinations = models.CharField(
        max_length=200, blank=True, help_text=_("countries with commas between, like GB, CH; empty: any")
    )
    lane = models.CharField(max_length=20, choices=Lane, default=Lane.ANY, blank=True)
    incoterm = models.CharField(max_length=3, blank=True, help_text=_("like DAP; empty: any"))
    from_status = models.CharField(
        max_length=20, choices=Status, default=Status.PENDING, help_text=_("expected once the delivery came so far")
    )
    due_hours = models.IntegerField(default=48, help_text=_("a day has 24; below zero: so long before"))
    due_after = models.CharField(max_length=12, choices=DueAfter, default=DueAfter.DELIVERED)
    obtain = models.CharField(max_length=8, choices=Obtain, default=Obtain.FETCH)
    active = models.BooleanField(default=True)
    valid_from = models.DateField(help_text=_("holds for what is ordered from this day on"))
    valid_until = models.DateField(null=True, blank=True, help_text=_("the first day on which it no longer holds"))
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    changed_by = models.CharField(max_length=150, blank=True)
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["document_type", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_until=None) | models.Q(valid_until__gt=models.F("valid_from")),
                name="document_rule_has_length",
            ),
        ]

    def __str__(self) -> str:
        where = self.carrier.name if self.carrier else _("all carriers")
        return f"{self.get_document_type_display()}, {where}"


class DocumentWaiver(models.Model):
    """Somebody decided that a delivery may do without a document. Taking it back deletes the row; the audit keeps both."""

    # The unique pair serves as its index.
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="document_waivers", db_index=False)
    document_type = models.CharField(max_length=30, choices=DocumentType)
    reason = models.CharField(max_length=300)
    by_name = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)
    action = models.UUIDField(db_index=True, help_text=_("the click that waived it, so that one click takes it back"))

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["shipment", "document_type"], name="waiver_once")]

    def __str__(self) -> str:
        return f"{self.get_document_type_display()}: {self.reason}"


class ExpectedDocument(models.Model):
    """A document that is expected and missing, or came late, or was waived. One that came in time has no row.

    Every value follows from rules, delivery, documents, batches and waivers (`shipments.completeness.expect`): nobody
    writes here but `shipments.completeness.refresh`. States: see `ExpectedState`.
    """

    # The unique pair serves as its index.
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="expected_documents", db_index=False)
    document_type = models.CharField(max_length=30, choices=DocumentType)
    carrier = models.ForeignKey(Carrier, on_delete=models.CASCADE, related_name="+", db_index=False)
    rule = models.ForeignKey(
        DocumentRule, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False, db_constraint=False
    )
    obtain = models.CharField(max_length=8, choices=Obtain)
    state = models.CharField(max_length=10, choices=ExpectedState)
    turn = models.CharField(max_length=8, choices=Turn, blank=True)
    since = models.DateTimeField(help_text=_("from when on it was expected"))
    due = models.DateTimeField(help_text=_("the year 9999: not known before the delivery has come so far"))
    completed = models.DateTimeField(null=True, blank=True, help_text=_("when it came, late"))
    tries = models.PositiveIntegerField(default=0, help_text=_("that are over"))
    last_item = models.BigIntegerField(null=True, blank=True, help_text=_("batch item of the latest try"))
    last_batch = models.ForeignKey(
        Batch, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False, db_constraint=False
    )
    last_try = models.DateTimeField(null=True, blank=True)
    error_type = models.CharField(max_length=120, blank=True)
    error_message = models.CharField(max_length=300, blank=True)
    next_try = models.DateTimeField(null=True, blank=True, help_text=_("not before"))
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["due", "id"]
        constraints = [models.UniqueConstraint(fields=["shipment", "document_type"], name="expected_once")]
        # Only what is open is looked at all day; closed rows stay out of these.
        indexes = [
            models.Index(
                fields=["due", "id"],
                include=["carrier", "state", "turn", "document_type", "obtain"],
                condition=models.Q(state__in=OPEN_EXPECTATIONS),
                name="expected_open",
            ),
            models.Index(
                fields=["carrier", "due", "id"],
                include=["state", "turn", "document_type", "obtain"],
                condition=models.Q(state__in=OPEN_EXPECTATIONS),
                name="expected_open_carrier",
            ),
            models.Index(
                fields=["due", "id"], condition=models.Q(state__in=CLOSED_EXPECTATIONS), name="expected_closed"
            ),
            models.Index(fields=["due"], condition=models.Q(state=ExpectedState.WAITING), name="expected_waiting"),
            models.Index(
                fields=["last_item"], condition=models.Q(state=ExpectedState.RUNNING), name="expected_running"
            ),
            models.Index(
                fields=["next_try", "id"],
                condition=models.Q(next_try__isnull=False, state__in=OPEN_EXPECTATIONS),
                name="expected_next_try",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_document_type_display()} of {self.shipment_id}"


class CompletenessNote(models.Model):
    """A delivery to be looked at again within seconds; then the row is gone.

    Only appended to, in the transaction of the change, so nobody waits for anybody and nothing is looked at too early.
    """

    shipment_id = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.shipment_id)


class CompletenessSettings(models.Model):
    """One row: whether and how missing documents are fetched automatically."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    automatic = models.BooleanField(default=False, help_text=_("fetch what is missing without being asked"))
    first_wait_hours = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text=_("after the first try; doubles after every other")
    )
    longest_wait_hours = models.PositiveIntegerField(default=24, validators=[MinValueValidator(1)])
    most_tries = models.PositiveIntegerField(
        default=7, validators=[MinValueValidator(1)], help_text=_("then it is a person's turn")
    )

    class Meta:
        verbose_name_plural = _("completeness settings")

    def __str__(self) -> str:
        return str(_("automatic tries")) if self.automatic else str(_("no automatic tries"))

    @classmethod
    def current(cls) -> "CompletenessSettings":
        """The row, or its defaults while nobody has changed them."""
        return cls.objects.filter(pk=SINGLETON).first() or cls()


class CompletenessProgress(models.Model):
    """One row: how far the upkeep has read. `rerun_*`: a walk over deliveries, newest first, after a rule changed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    read_at = models.DateTimeField(default=timezone.now, help_text=_("changes of deliveries up to here are in"))
    read_id = models.BigIntegerField(default=0)
    documents_at = models.DateTimeField(default=timezone.now, help_text=_("changes of documents up to here are in"))
    documents_id = models.BigIntegerField(default=0)
    batches_at = models.DateTimeField(default=timezone.now, help_text=_("batches started before are known"))
    batches_seen = models.JSONField(default=list, help_text=_("those known among the ones started since"))
    rerun_from = models.DateField(null=True, help_text=_("deliveries ordered from here on are gone over"))
    rerun_at = models.DateTimeField(null=True)
    rerun_id = models.BigIntegerField(default=0)
    rerun_done = models.PositiveIntegerField(default=0)
    ran = models.DateTimeField(null=True, help_text=_("when the upkeep came round last"))

    def __str__(self) -> str:
        return f"read up to {self.read_at}"
