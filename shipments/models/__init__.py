"""Tables of deliveries, carriers, documents and messages, by noun."""

from shipments.models.automations import Automation, AutomationRun
from shipments.models.carriers import Carrier, CarrierConnection
from shipments.models.completeness import (
    CompletenessNote,
    CompletenessProgress,
    CompletenessSettings,
    DocumentRule,
    DocumentWaiver,
    ExpectedDocument,
)
from shipments.models.document_work import DocumentText, MatchCandidate, PrintJob, RetentionRule
from shipments.models.documents import Document
from shipments.models.home import HomeCount, HomeHour, HomePart
from shipments.models.intake import CarrierHook, ColumnMapping, HookDelivery, ImportRun
from shipments.models.messages import CarrierMessage
from shipments.models.notes import Note
from shipments.models.remote import CarrierSession, LateDocument, RemoteFile
from shipments.models.shipments import Shipment, TrackingEvent
from shipments.models.status import AgeingRule, CodeMapping, Reason, UnmappedCode
from shipments.models.templates import DocumentTemplate, Letterhead, TemplateVersion

__all__ = [
    "Automation",
    "AutomationRun",
    "AgeingRule",
    "Carrier",
    "CarrierConnection",
    "CarrierHook",
    "CarrierMessage",
    "CarrierSession",
    "CodeMapping",
    "ColumnMapping",
    "CompletenessNote",
    "CompletenessProgress",
    "CompletenessSettings",
    "Document",
    "DocumentTemplate",
    "DocumentText",
    "DocumentRule",
    "DocumentWaiver",
    "ExpectedDocument",
    "HomeCount",
    "HomeHour",
    "HomePart",
    "HookDelivery",
    "ImportRun",
    "LateDocument",
    "Letterhead",
    "MatchCandidate",
    "Note",
    "PrintJob",
    "Reason",
    "RemoteFile",
    "RetentionRule",
    "Shipment",
    "TemplateVersion",
    "TrackingEvent",
    "UnmappedCode",
]
