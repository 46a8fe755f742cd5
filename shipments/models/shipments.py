"""Shipments and what happened to them."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import RETURNED, Status
from shipments.models.carriers import Carrier


class Shipment(models.Model):
    """One delivery, known by carrier and tracking number."""

    # No index of its own: those of the lists begin with it.
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="shipments", db_index=False)
    tracking_number = models.CharField(max_length=40)
    reference = models.CharField(max_length=60, blank=True)
    customer = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=50, blank=True)
    unmapped = models.BooleanField(
        default=False, db_default=False, help_text=_("its latest event has a code that no mapping knows")
    )
    status_at = models.DateTimeField(null=True, blank=True, help_text=_("when the event happened that says so"))
    last_event = models.DateTimeField(null=True, blank=True, help_text=_("when the carrier was heard of last"))
    sender = models.JSONField(
        default=dict, blank=True, help_text=_("name, street, postcode, city, country, phone, vat, eori")
    )
    recipient = models.JSONField(
        default=dict, blank=True, help_text=_("name, street, postcode, city, country, phone, vat, eori")
    )
    destination_country = models.CharField(max_length=2, blank=True)
    incoterm = models.CharField(
        max_length=3, blank=True, db_default="", help_text=_("like DAP: who pays what until where")
    )
    parcels = models.JSONField(
        default=list,
        blank=True,
        help_text=_("[{number, weight_kg, description, ...}], see docs/templates.md"),
    )
    notes = models.TextField(blank=True)
    created = models.DateTimeField(default=timezone.now, help_text=_("when the order was taken"))
    promised = models.DateTimeField(null=True, blank=True)
    delivered = models.DateTimeField(null=True, blank=True)
    updated = models.DateTimeField(default=timezone.now)
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["carrier", "tracking_number"], name="shipment_unique_number"),
        ]
        # Each list order has one index. The columns after the order let PostgreSQL decide a filter inside the index, without
        # touching rows: of 700 filter combinations at 8 million rows 30 need to be searched in stretches instead of 240.
        # At that size each takes 0.5 GB, beside 2.5 GB of rows.
        indexes = [
            models.Index(
                fields=["-created", "-id", "status", "carrier", "destination_country"], name="shipment_recent"
            ),
            models.Index(
                fields=["status", "-created", "-id", "carrier", "destination_country"], name="shipment_by_status"
            ),
            models.Index(
                fields=["carrier", "-created", "-id", "status", "destination_country"], name="shipment_by_carrier"
            ),
            models.Index(
                fields=["destination_country", "-created", "-id", "status", "carrier"], name="shipment_by_country"
            ),
            # Sync clients read in this order.
            models.Index(fields=["updated", "id", "status", "carrier", "destination_country"], name="shipment_updated"),
            # "Not mapped" and sample data are small parts of the table: partial indexes cost little.
            models.Index(
                fields=["-created", "-id", "status", "carrier", "destination_country"],
                condition=models.Q(unmapped=True),
                name="shipment_unmapped",
            ),
            models.Index(fields=["-created", "-id"], condition=models.Q(sample=True), name="shipment_sample"),
            # What needs a person: late, due, silent, exceptions. All of it is decided inside the index, in the order of the
            # list. Few deliveries are open (0.2 of 8 million), so it takes some 20 MB; every change of an open one costs an
            # entry. The last two columns let the counts of the home page do without rows.
            models.Index(
                F("created").desc(),
                F("id").desc(),
                "status",
                "reason",
                "carrier",
                "destination_country",
                "promised",
                Coalesce("last_event", "updated"),
                include=["last_event", "updated"],
                condition=~models.Q(status=Status.DELIVERED)
                & ~models.Q(status=Status.CANCELLED)
                & ~models.Q(status=Status.RETURN_TO_SENDER, reason=RETURNED),
                name="shipment_open",
            ),
            # By time of delivery: today's, those that lack a document for days, and deliveries of each hour. 0.3 GB at 8
            # million; one entry in a delivery's life.
            models.Index(
                fields=["-delivered", "-id", "carrier"],
                condition=models.Q(delivered__isnull=False),
                name="shipment_delivered",
            ),
            models.Index(fields=["tracking_number"], name="shipment_number", opclasses=["text_pattern_ops"]),
            # One trigram index over what the search box looks at serves "contains" by ILIKE.
            GinIndex(
                fields=["tracking_number", "reference", "customer"],
                opclasses=["gin_trgm_ops", "gin_trgm_ops", "gin_trgm_ops"],
                name="shipment_search_trgm",
            ),
        ]

    def __str__(self) -> str:
        return self.tracking_number


class TrackingEvent(models.Model):
    """One thing a carrier said happened, kept as it came beside what we make of it."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    code = models.CharField(max_length=40, blank=True)
    text = models.CharField(max_length=500, blank=True)
    place = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=20, choices=Status, blank=True)
    reason = models.CharField(max_length=50, blank=True)
    unmapped = models.BooleanField(
        default=False, db_default=False, help_text=_("no mapping knew its code when it was looked up")
    )
    source = models.CharField(max_length=20, blank=True, help_text=_("webhook, file, api or sample"))
    received = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "at", "code", "text"], name="event_once"),
        ]
        indexes = [
            models.Index(fields=["code"], condition=models.Q(unmapped=True), name="event_unmapped"),
            # Attempts in vain by time, for the home page: one event in some fifty.
            models.Index(
                fields=["at", "shipment"], condition=models.Q(status=Status.DELIVERY_FAILED), name="event_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.text or self.code}"
