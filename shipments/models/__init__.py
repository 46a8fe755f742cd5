"""Tables of deliveries, carriers, documents and messages, by noun."""

from shipments.models.carriers import Carrier, CarrierConnection
from shipments.models.documents import Document
from shipments.models.messages import CarrierMessage
from shipments.models.shipments import Shipment, TrackingEvent

__all__ = ["Carrier", "CarrierConnection", "CarrierMessage", "Document", "Shipment", "TrackingEvent"]
