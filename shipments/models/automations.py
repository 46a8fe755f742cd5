"""When something happens to a delivery or its documents, do something: rules that admins write, and each time one ran."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.models import Batch
from shipments.choices import Action, DocumentType, Status, Trigger
from shipments.models.carriers import Carrier
from shipments.models.documents import Document
from shipments.models.shipments import Shipment


class Automation(models.Model):
    """When (`trigger`), if (carrier, type, status, text), then (`action`). Looks only at what happens after `since`."""

    name = models.CharField(max_length=120, unique=True)
    trigger = models.CharField(max_length=10, choices=Trigger)
    carrier = models.ForeignKey(
        Carrier, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text=_("empty: all")
    )
    document_type = models.CharField(max_length=30, choices=DocumentType, blank=True, help_text=_("empty: any"))
    status = models.CharField(max_length=20, choices=Status, blank=True, help_text=_("of the delivery; empty: any"))
    text = models.CharField(
        max_length=100, blank=True, help_text=_("words in the document or in the name of its file; empty: any")
    )
    action = models.CharField(max_length=10, choices=Action)
    people = models.JSONField(default=list, blank=True, help_text=_("user names of those who are told"))
    words = models.CharField(max_length=200, blank=True, help_text=_("what they are told or asked"))
    make_type = models.CharField(max_length=30, choices=DocumentType, blank=True, help_text=_("what is made"))
    function_name = models.CharField(max_length=140, blank=True, help_text=_("the function that runs"))
    active = models.BooleanField(default=True)
    since = models.DateTimeField(default=timezone.now, help_text=_("what happened before is left alone"))
    looked = models.DateTimeField(default=timezone.now, help_text=_("what happened up to here was looked at"))
    problem = models.CharField(max_length=300, blank=True, help_text=_("why the last look failed"))
    changed = models.DateTimeField(default=timezone.now)
    changed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AutomationRun(models.Model):
    """One time that a rule fired for one happening; the pair is unique, so nothing is done twice."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="runs")
    happening = models.CharField(max_length=100, help_text=_("what set it off, for example stored:815"))
    shipment = models.ForeignKey(Shipment, null=True, on_delete=models.CASCADE, related_name="automation_runs")
    document = models.ForeignKey(Document, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    batch = models.ForeignKey(Batch, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    done = models.BooleanField(default=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["automation", "happening"], name="automation_once")]
        indexes = [models.Index(fields=["automation", "-at", "-id"], name="automation_recent")]

    def __str__(self) -> str:
        return f"{self.automation_id} {self.happening}"
