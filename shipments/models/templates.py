"""How documents look: administrators' own templates with all their versions, and the letterhead."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import DocumentType, Language
from shipments.models.carriers import Carrier


class DocumentTemplate(models.Model):
    """The look of one type of document: for one carrier and language, or for all. Without an active version the built-in
    page is printed, which is version 0.
    """

    type = models.CharField(max_length=30, choices=DocumentType)
    carrier = models.ForeignKey(Carrier, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=2, blank=True, choices=Language, help_text=_("empty: all languages"))
    active = models.ForeignKey(
        "shipments.TemplateVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["type", "id"]
        constraints = [
            models.UniqueConstraint(fields=["type", "carrier", "language"], nulls_distinct=False, name="template_once")
        ]

    def __str__(self) -> str:
        parts = [self.get_type_display(), self.carrier.name if self.carrier else "", self.get_language_display()]
        return ", ".join(str(part) for part in parts if part)


class TemplateVersion(models.Model):
    """One state of a template. Never changed, never deleted: documents remember theirs."""

    template = models.ForeignKey(DocumentTemplate, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    html = models.TextField()
    css = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64)
    note = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=150)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def __str__(self) -> str:
        return f"{self.template}: {self.number}"


class Letterhead(models.Model):
    """What heads every page; there is one. Without it the sender's name and address do."""

    name = models.CharField(max_length=120, help_text=_("of the company"))
    lines = models.TextField(blank=True, help_text=_("address and whatever else belongs there, at most six lines"))
    logo = models.TextField(blank=True, editable=False, help_text=_("a data: URI"))

    class Meta:
        verbose_name = _("letterhead")
        verbose_name_plural = _("letterhead")

    def __str__(self) -> str:
        return self.name
