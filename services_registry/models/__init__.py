"""Tables of the registry, by noun."""

from services_registry.models.accounts import AwsAccount, SyncRun
from services_registry.models.batches import Batch, BatchItem, Chunk
from services_registry.models.doors import DoorHour, FirehoseKey, LogPosition
from services_registry.models.findings import Finding, RuleThreshold, StopRecord
from services_registry.models.functions import CapabilityBinding, Function, FunctionRevision
from services_registry.models.kept import FunctionNote, SavedPayload
from services_registry.models.layers import Layer, LayerVersion, PackageSize
from services_registry.models.metrics import HotFunction, MetricDay, MetricHour, MetricMinute, MetricPlace
from services_registry.models.operations import BatchSchedule, EngineSettings, FreezeWindow, ScheduleRun
from services_registry.models.standings import FunctionStanding
from services_registry.models.telemetry import (
    FleetDay,
    FleetHour,
    FleetUsage,
    FunctionDay,
    FunctionHour,
    InvocationReport,
    RejectedLine,
    ReportKey,
)

__all__ = [
    "AwsAccount",
    "Batch",
    "BatchItem",
    "BatchSchedule",
    "CapabilityBinding",
    "Chunk",
    "DoorHour",
    "EngineSettings",
    "Finding",
    "FirehoseKey",
    "FleetDay",
    "FleetHour",
    "FleetUsage",
    "FreezeWindow",
    "Function",
    "FunctionDay",
    "FunctionHour",
    "FunctionNote",
    "FunctionRevision",
    "FunctionStanding",
    "HotFunction",
    "InvocationReport",
    "Layer",
    "LayerVersion",
    "LogPosition",
    "MetricDay",
    "MetricHour",
    "MetricMinute",
    "MetricPlace",
    "PackageSize",
    "RejectedLine",
    "ReportKey",
    "RuleThreshold",
    "SavedPayload",
    "ScheduleRun",
    "StopRecord",
    "SyncRun",
]
