"""What people keep at a function: notes to each other, and payloads to run it with again."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.notes import BaseNote
from services_registry.models.functions import Function


class FunctionNote(BaseNote):
    """A note on the page of a function."""

    # No index of its own: the one below begins with it.
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="remarks", db_index=False)

    class Meta:
        ordering = ["-created", "-id"]
        indexes = [models.Index(fields=["function", "-created", "-id"], name="note_of_function")]

    @property
    def about(self) -> Function:
        return self.function

    @property
    def where(self) -> str:
        return self.function.name

    @property
    def url(self) -> str:
        return f"{reverse('function-detail', args=[self.function_id])}#note-{self.pk}"

    @property
    def told_as(self) -> str:
        return f"function-note:{self.pk}"


class SavedPayload(models.Model):
    """A JSON payload under a name, to run one function with. A deleted one is kept, so that deleting can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="payloads", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    payload = models.JSONField(help_text=_("no secrets: everybody who sees it can read it"))
    shared = models.BooleanField(default=False, help_text=_("everybody sees it; only its owner changes it"))
    created = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(default=timezone.now)
    deleted = models.DateTimeField(null=True, blank=True, help_text=_("empty: it is offered"))

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["function", "owner", "name"], condition=models.Q(deleted=None), name="payload_once"
            )
        ]
        indexes = [models.Index(fields=["function", "name"], name="payload_of_function")]

    def __str__(self) -> str:
        return self.name
