"""Closed sets with their labels and badge tones."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """The twelve normalised statuses of a shipment."""

    PENDING = "pending", _("pending")
    PICKED_UP = "picked_up", _("picked up")
    IN_TRANSIT = "in_transit", _("in transit")
    OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
    READY_FOR_PICKUP = "ready_for_pickup", _("ready for pick-up")
    DELIVERED = "delivered", _("delivered")
    DELIVERY_DELAYED = "delivery_delayed", _("delayed")
    DELIVERY_FAILED = "delivery_failed", _("delivery failed")
    ON_HOLD = "on_hold", _("on hold")
    RETURN_TO_SENDER = "return_to_sender", _("returning to sender")
    CANCELLED = "cancelled", _("cancelled")
    UNKNOWN = "unknown", _("unknown")


EXCEPTIONS = (
    Status.DELIVERY_FAILED, Status.DELIVERY_DELAYED, Status.ON_HOLD, Status.RETURN_TO_SENDER, Status.UNKNOWN,
)  # fmt: skip
RETURNED = "returned"
"""The reason of a delivery that is back at its sender: no exception any more."""


class Family(models.TextChoices):
    """Who or what a reason lies with."""

    CARRIER = "carrier", _("carrier")
    CONSIGNEE = "consignee", _("consignee")
    CUSTOMS = "customs", _("customs")
    RETAILER = "retailer", _("retailer")
    WEATHER = "weather", _("weather")
    SECURITY = "security", _("security")
    UNKNOWN = "unknown", _("unknown")


class ImportState(models.TextChoices):
    WAITING = "waiting", _("waiting for a mapping")
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("finished")
    FAILED = "failed", _("failed")


class HookState(models.TextChoices):
    """What became of one webhook of a carrier."""

    RECEIVED = "received", _("received")
    TAKEN = "taken", _("taken over")
    REFUSED = "refused", _("refused")


class DocumentType(models.TextChoices):
    DELIVERY_NOTE = "delivery_note", _("delivery note")
    PROOF_OF_DELIVERY = "proof_of_delivery", _("proof of delivery")
    LABEL = "label", _("label")
    CMR_WAYBILL = "cmr_waybill", _("CMR waybill")
    COMMERCIAL_INVOICE = "commercial_invoice", _("commercial invoice")
    PACKING_LIST = "packing_list", _("packing list")
    MANIFEST = "manifest", _("manifest")
    CUSTOMS_DECLARATION = "customs_declaration", _("customs declaration")
    OTHER = "other", _("other document")


MADE_HERE = (
    DocumentType.DELIVERY_NOTE, DocumentType.CMR_WAYBILL, DocumentType.COMMERCIAL_INVOICE, DocumentType.PACKING_LIST,
    DocumentType.LABEL, DocumentType.MANIFEST,
)  # fmt: skip
"""What we print ourselves."""


class Language(models.TextChoices):
    """What documents are printed in."""

    ENGLISH = "en", _("English")
    SPANISH = "es", _("Spanish")
    FRENCH = "fr", _("French")
    GERMAN = "de", _("German")
    ITALIAN = "it", _("Italian")
    PORTUGUESE = "pt", _("Portuguese")


class DocumentState(models.TextChoices):
    STORED = "stored", _("stored")
    QUARANTINED = "quarantined", _("quarantined")
    REJECTED = "rejected", _("rejected")
    DELETED = "deleted", _("deleted")


class Extraction(models.TextChoices):
    """Whether the text of a document was read."""

    WAITING = "waiting", _("waiting to be read")
    DONE = "done", _("read")
    FAILED = "failed", _("could not be read")


class Matching(models.TextChoices):
    """Where a document without a delivery stands."""

    UNKNOWN = "", _("not looked for")
    REVIEW = "review", _("waiting for a person")
    NOTHING = "nothing", _("nothing found")
    NONE = "none", _("belongs to no delivery")


class Thumbnail(models.TextChoices):
    UNKNOWN = "", _("not made yet")
    MADE = "made", _("made")
    NONE = "none", _("cannot be made")


class PrintState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("ready")
    FAILED = "failed", _("failed")


class DocumentSource(models.TextChoices):
    """How a document came to us. A plain text in the table, so that others may add theirs."""

    RENDERED = "rendered", _("rendered by a function")
    FETCHED = "fetched", _("fetched from the carrier")
    UPLOADED = "uploaded", _("uploaded")


class Lane(models.TextChoices):
    """Where a delivery goes from and to, as far as documents care."""

    ANY = "", _("anywhere")
    DOMESTIC = "domestic", _("within one country")
    CROSS_BORDER = "cross_border", _("across a border")
    BY_ROAD = "by_road", _("across a border, by road within Europe")
    LEAVING_EU = "leaving_eu", _("out of the EU customs territory")
    ENTERING_EU = "entering_eu", _("into the EU customs territory")


class DueAfter(models.TextChoices):
    """What the hours of a rule are counted from."""

    CREATED = "created", _("ordered")
    PICKED_UP = "picked_up", _("picked up")
    DELIVERED = "delivered", _("delivered")
    PROMISED = "promised", _("promised")


class Obtain(models.TextChoices):
    """How a document is got."""

    FETCH = "fetch", _("fetch from the carrier")
    MAKE = "make", _("make it ourselves")
    ASK = "ask", _("ask a person")
    NONE = "none", _("not expected")


class ExpectedState(models.TextChoices):
    """waiting -> overdue by time; running while a batch works on it; failed when that went wrong (a file that is not
    there yet is no failure); complete when it came late; waived by a person. All of them are left when facts change."""

    WAITING = "waiting", _("not due yet")
    OVERDUE = "overdue", _("overdue")
    RUNNING = "running", _("being got")
    FAILED = "failed", _("try failed")
    COMPLETE = "complete", _("came late")
    WAIVED = "waived", _("waived")


OPEN_EXPECTATIONS = (ExpectedState.WAITING, ExpectedState.OVERDUE, ExpectedState.RUNNING, ExpectedState.FAILED)
CLOSED_EXPECTATIONS = (ExpectedState.COMPLETE, ExpectedState.WAIVED)


class Turn(models.TextChoices):
    """Who has to do something before a document comes."""

    CARRIER = "carrier", _("carrier")
    US = "us", _("us")
    PERSON = "person", _("a person")


class Protocol(models.TextChoices):
    FTP = "ftp", "FTP"
    FTPS = "ftps", _("FTPS (explicit)")
    FTPS_IMPLICIT = "ftps_implicit", _("FTPS (implicit)")
    SFTP = "sftp", "SFTP"


class AfterFetch(models.TextChoices):
    """What happens to a file on the carrier's server once its bytes are safely kept here."""

    KEEP = "keep", _("leave it there")
    DELETE = "delete", _("delete it there")
    MOVE = "move", _("move it there")


class RemoteState(models.TextChoices):
    """What is known of one file on a carrier's server."""

    SEEN = "seen", _("seen, may still grow")
    STABLE = "stable", _("waits to be fetched")
    FETCHED = "fetched", _("fetched")
    MATCHED = "matched", _("matched")
    UNMATCHED = "unmatched", _("kept without delivery")
    DUPLICATE = "duplicate", _("known already")
    QUARANTINED = "quarantined", _("in quarantine")
    GONE = "gone", _("gone before it was fetched")


class Health(models.TextChoices):
    """How a connection stands."""

    OK = "ok", _("works")
    NEW = "new", _("not used yet")
    TROUBLED = "troubled", _("last contact failed")
    OPEN = "open", _("left alone after failures")
    PAUSED = "paused", _("paused")
    OFF = "off", _("switched off")


TONES: dict[str, str] = {
    Status.PENDING: "secondary",
    Status.PICKED_UP: "blue",
    Status.IN_TRANSIT: "blue",
    Status.OUT_FOR_DELIVERY: "blue",
    Status.READY_FOR_PICKUP: "azure",
    Status.DELIVERED: "green",
    Status.DELIVERY_DELAYED: "yellow",
    Status.DELIVERY_FAILED: "red",
    Status.ON_HOLD: "yellow",
    Status.RETURN_TO_SENDER: "orange",
    Status.CANCELLED: "secondary",
    Status.UNKNOWN: "secondary",
    ImportState.WAITING: "yellow",
    ImportState.RUNNING: "blue",
    ImportState.DONE: "green",
    ImportState.FAILED: "red",
    HookState.TAKEN: "green",
    HookState.REFUSED: "red",
    DocumentState.STORED: "green",
    DocumentState.QUARANTINED: "red",
    DocumentState.REJECTED: "secondary",
    DocumentState.DELETED: "secondary",
    Extraction.WAITING: "blue",
    PrintState.RUNNING: "blue",
    PrintState.DONE: "green",
    PrintState.FAILED: "red",
    RemoteState.SEEN: "blue",
    RemoteState.STABLE: "blue",
    RemoteState.FETCHED: "green",
    RemoteState.MATCHED: "green",
    RemoteState.UNMATCHED: "yellow",
    RemoteState.GONE: "yellow",
    Health.OK: "green",
    Health.TROUBLED: "yellow",
    Health.OPEN: "red",
    Health.PAUSED: "yellow",
    ExpectedState.WAITING: "secondary",
    ExpectedState.OVERDUE: "yellow",
    ExpectedState.RUNNING: "blue",
    ExpectedState.FAILED: "red",
    ExpectedState.COMPLETE: "green",
    ExpectedState.WAIVED: "purple",
}


class Trigger(models.TextChoices):
    """What sets a rule off."""

    STORED = "stored", _("a document is stored")
    STATUS = "status", _("a delivery changes its status")
    OVERDUE = "overdue", _("a document is overdue")


class Action(models.TextChoices):
    """What a rule does."""

    NOTIFY = "notify", _("tell or ask people")
    ATTACH = "attach", _("attach to the delivery it names")
    FETCH = "fetch", _("fetch the proof of delivery")
    MAKE = "make", _("make a document")
    RUN = "run", _("run a function")
