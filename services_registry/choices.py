"""Closed sets of states, each with its label and the tone of its badge."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BatchState(models.TextChoices):
    RUNNING = "running", _("running")
    DONE = "done", _("finished")
    CANCELLED = "cancelled", _("cancelled")


class ChunkState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("finished")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class ItemState(models.TextChoices):
    PENDING = "pending", _("waiting")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Outcome(models.TextChoices):
    """What an invocation came to; never more than one, never a guess."""

    SUCCEEDED = "succeeded", _("succeeded")
    FUNCTION_ERROR = "function_error", _("function error")
    TIMED_OUT = "timed_out", _("timed out")
    THROTTLED = "throttled", _("throttled")
    UNREACHABLE = "unreachable", _("AWS not reached")
    REJECTED = "rejected", _("rejected by AWS")
    ITEM_ERROR = "item_error", _("item failed")
    CANCELLED = "cancelled", _("cancelled")


class Origin(models.TextChoices):
    """Where a rollup's numbers come from."""

    REPORTS = "reports", _("measured from REPORT lines")
    SAMPLE = "sample", _("sample data")


# Tones: green done, blue running, yellow needs a look, red needs action, secondary inactive.
TONES: dict[str, str] = {
    BatchState.RUNNING: "blue",
    BatchState.DONE: "green",
    BatchState.CANCELLED: "secondary",
    ChunkState.QUEUED: "secondary",
    ChunkState.FAILED: "red",
    ItemState.PENDING: "secondary",
    ItemState.SUCCEEDED: "green",
    Outcome.FUNCTION_ERROR: "red",
    Outcome.TIMED_OUT: "red",
    Outcome.THROTTLED: "yellow",
    Outcome.UNREACHABLE: "red",
    Outcome.REJECTED: "red",
    Outcome.ITEM_ERROR: "yellow",
}
