"""Closed sets with their labels and badge tones."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Meter(models.TextChoices):
    """What a price is for. `item` of a price names the kind where one meter has several (a server's size)."""

    GB_SECOND = "gb_second", _("GB-second")
    REQUEST = "request", _("request")
    EPHEMERAL_GB_SECOND = "ephemeral_gb_second", _("GB-second of /tmp above 512 MB")
    PROVISIONED_GB_SECOND = "provisioned_gb_second", _("GB-second of provisioned concurrency")
    PROVISIONED_RUN_GB_SECOND = "provisioned_run_gb_second", _("GB-second run on provisioned concurrency")
    NAT_HOUR = "nat_hour", _("hour of a NAT gateway")
    NAT_GB = "nat_gb", _("GB through a NAT gateway")
    CROSS_AZ_GB = "cross_az_gb", _("GB between zones, each way")
    EGRESS_GB = "egress_gb", _("GB to the internet")
    ENDPOINT_HOUR = "endpoint_hour", _("hour of an interface endpoint in one zone")
    ENDPOINT_GB = "endpoint_gb", _("GB through an interface endpoint")
    S3_PUT = "s3_put", _("S3 request that writes or lists")
    S3_GET = "s3_get", _("S3 request that reads")
    S3_GB_MONTH = "s3_gb_month", _("GB kept in S3 for a month")
    LOG_GB = "log_gb", _("GB of logs taken in")
    LOG_GB_MONTH = "log_gb_month", _("GB of logs kept for a month")
    METRIC_MONTH = "metric_month", _("custom metric for a month")
    METRIC_REQUEST = "metric_request", _("metric asked for by GetMetricData")
    SERVER_HOUR = "server_hour", _("hour of an always-on server")
    EBS_GB_MONTH = "ebs_gb_month", _("GB of volume for a month")
    SNAPSHOT_GB_MONTH = "snapshot_gb_month", _("GB of snapshot for a month")
    IPV4_HOUR = "ipv4_hour", _("hour of a public IPv4 address")
    COST_EXPLORER_REQUEST = "cost_explorer_request", _("request to Cost Explorer")


class BillSource(models.TextChoices):
    """Which kind of bill says it. Several may tell of the same money; only one of them counts (`BilledPeriod.counted`)."""

    CUR = "cur", _("Cost and Usage Report")
    FOCUS = "focus", _("FOCUS")
    COST_EXPLORER = "cost_explorer", _("Cost Explorer")


PRECEDENCE = {BillSource.CUR: 0, BillSource.FOCUS: 0, BillSource.COST_EXPLORER: 1}
"""The smaller counts when several sources tell of one account's month; of equals, the one that was there first."""


class ChargeCategory(models.TextChoices):
    """FOCUS ChargeCategory."""

    USAGE = "Usage", _("usage")
    PURCHASE = "Purchase", _("purchase")
    TAX = "Tax", _("tax")
    CREDIT = "Credit", _("credit")
    ADJUSTMENT = "Adjustment", _("adjustment")


class BillState(models.TextChoices):
    """What became of one file of billed costs."""

    LOOKING = "looking", _("being looked into")
    WAITING = "waiting", _("waiting for a yes")
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("being taken in")
    DONE = "done", _("in the figures")
    REPLACED = "replaced", _("replaced by a later file")
    UNDONE = "undone", _("taken back")
    FAILED = "failed", _("failed")


BILL_TONES = {
    BillState.LOOKING: "blue", BillState.WAITING: "yellow", BillState.QUEUED: "blue", BillState.RUNNING: "blue",
    BillState.DONE: "green", BillState.REPLACED: "secondary", BillState.UNDONE: "secondary", BillState.FAILED: "red",
}  # fmt: skip


class AccountLineKind(models.TextChoices):
    """What an account's volume takes off; never a function's."""

    VOLUME = "volume", _("volume discount")
    FREE_TIER = "free_tier", _("free tier")


class Step(models.TextChoices):
    """How long a stretch of time one row of unit costs is."""

    DAY = "day", _("day")
    WEEK = "week", _("week")


class UnitPart(models.IntegerChoices):
    """What a row of unit costs is the sum of. Deliveries are counted once in each, so parts cannot be added up."""

    BOTH = 0, _("one carrier and kind of work")
    CARRIER = 1, _("one carrier, all kinds of work")
    KIND = 2, _("one kind of work, all carriers")
    ALL = 3, _("everything")


class WayOut(models.TextChoices):
    """What a function's work could be changed to."""

    SERVER = "server", _("an always-on server")
    MEMORY = "memory", _("another memory size")
    ARM = "arm", _("arm64")
    STAY = "stay", _("as it is")


WAY_TONES = {WayOut.SERVER: "blue", WayOut.MEMORY: "purple", WayOut.ARM: "azure", WayOut.STAY: "secondary"}
