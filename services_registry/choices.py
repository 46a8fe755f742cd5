"""Closed sets of states, each with its label and the tone of its badge."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class BatchState(models.TextChoices):
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    HALTED = "halted", _("halted")
    DONE = "done", _("finished")
    CANCELLED = "cancelled", _("cancelled")


OPEN_BATCHES = (BatchState.RUNNING, BatchState.PAUSED, BatchState.HALTED)
"""Neither done nor cancelled: something in them is still pending."""


class Priority(models.IntegerChoices):
    """The share of places a batch gets while others wait for the same ones."""

    LOW = 1, _("low")
    NORMAL = 4, _("normal")
    HIGH = 16, _("high")


class ChunkState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    CHECKING = "checking", _("being checked")
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


class RunResult(models.TextChoices):
    """What came of one due time of a schedule."""

    STARTED = "started", _("started")
    SKIPPED = "skipped", _("skipped")
    EMPTY = "empty", _("nothing to do")
    FAILED = "failed", _("could not start")


class Severity(models.TextChoices):
    """How much a caution of a plan matters."""

    INFO = "info", _("note")
    WARNING = "warning", _("warning")
    DANGER = "danger", _("danger")


class Origin(models.TextChoices):
    """Where a rollup's numbers come from."""

    REPORTS = "reports", _("measured from REPORT lines")
    SAMPLE = "sample", _("sample data")


class Ended(models.TextChoices):
    """How an invocation ended, as its REPORT or the lines beside it say."""

    SUCCESS = "success", _("succeeded")
    ERROR = "error", _("error")
    TIMEOUT = "timeout", _("timed out")
    FAILURE = "failure", _("failure")
    OTHER = "other", _("other")

    @classmethod
    def of(cls, status: str) -> Ended:
        return cls(status) if status in cls.values else cls.OTHER

    @property
    def tone(self) -> str:
        return {Ended.SUCCESS: "green", Ended.OTHER: "secondary"}.get(self, "red")


COLD_START = ("cold", _("cold start"))
"""What the list of invocations can be narrowed to beside how they ended."""


class Door(models.TextChoices):
    """The way a log line came in."""

    TAIL = "tail", _("our own calls")
    FIREHOSE = "firehose", _("Firehose")
    PULL = "pull", _("CloudWatch Logs")
    FILE = "file", _("file or object")


# Tones: green done, blue running, yellow needs a look, red needs action, secondary inactive.
TONES: dict[str, str] = {
    BatchState.RUNNING: "blue",
    BatchState.PAUSED: "yellow",
    BatchState.HALTED: "red",
    BatchState.DONE: "green",
    BatchState.CANCELLED: "secondary",
    ChunkState.QUEUED: "secondary",
    ChunkState.CHECKING: "yellow",
    ChunkState.FAILED: "red",
    ItemState.PENDING: "secondary",
    ItemState.SUCCEEDED: "green",
    Outcome.FUNCTION_ERROR: "red",
    Outcome.TIMED_OUT: "red",
    Outcome.THROTTLED: "yellow",
    Outcome.UNREACHABLE: "red",
    Outcome.REJECTED: "red",
    Outcome.ITEM_ERROR: "yellow",
    RunResult.STARTED: "green",
    RunResult.SKIPPED: "yellow",
    RunResult.EMPTY: "secondary",
    Severity.INFO: "secondary",
    Severity.WARNING: "yellow",
    Severity.DANGER: "red",
}


class Kind(models.TextChoices):
    """What makes a function run, as far as its mappings and its policy say."""

    QUEUE = "queue", _("reads a queue")
    STREAM = "stream", _("reads a stream")
    SCHEDULE = "schedule", _("runs by schedule or event")
    API = "api", _("answers HTTP")
    STORAGE = "storage", _("reacts to files")
    TOPIC = "topic", _("reacts to notifications")
    DIRECT = "direct", _("is called directly")


class FindingState(models.TextChoices):
    OPEN = "open", _("open")
    SNOOZED = "snoozed", _("snoozed")
    CLOSED = "closed", _("closed")


class StopState(models.TextChoices):
    """Stopping and restoring are states of their own: each takes several calls, and any of them may fail."""

    STOPPING = "stopping", _("stopped in part")
    STOPPED = "stopped", _("stopped")
    RESTORING = "restoring", _("restored in part")
    RESTORED = "restored", _("restored")


ACTIVE_STOPS = (StopState.STOPPING, StopState.STOPPED, StopState.RESTORING)
"""Something of what we changed still stands."""
TONES |= {
    FindingState.OPEN: "red",
    FindingState.SNOOZED: "yellow",
    FindingState.CLOSED: "secondary",
    StopState.STOPPING: "orange",
    StopState.STOPPED: "red",
    StopState.RESTORING: "orange",
    StopState.RESTORED: "green",
}


class NewestFrom(models.TextChoices):
    """How the newest version of a layer is known."""

    LISTED = "listed", _("AWS lists it")
    ASKED = "asked", _("AWS has none with the next number")
    SEEN = "seen", _("the newest that is used here; AWS does not list it to us")


class SizeSource(models.TextChoices):
    """How the size of an unpacked package is known."""

    MEASURED = "measured", _("read from its table of contents")
    STATED = "stated", _("stated by a person")


class Basis(models.TextChoices):
    """How sure a size is; of a sum, its least sure part."""

    MEASURED = "measured", _("measured")
    STATED = "stated", _("stated by a person")
    ESTIMATED = "estimated", _("estimated")
    UNKNOWN = "unknown", _("not known")


class Room(models.TextChoices):
    """How much of Lambda's limit for code and layers a function uses."""

    OVER = "over", _("over the limit")
    NEAR = "near", _("over 80 %")
    FINE = "fine", _("room left")
    UNKNOWN = "unknown", _("not known")


ROOM_TONES: dict[str, str] = {Room.OVER: "red", Room.NEAR: "yellow", Room.FINE: "green", Room.UNKNOWN: "secondary"}
