"""The registry of functions: what AWS says they are, and what changed."""

from services_registry.registry.places import Place, access_to, places, sync_all, sync_place
from services_registry.registry.sync import SyncResult, sync_functions

__all__ = ["Place", "SyncResult", "access_to", "places", "sync_all", "sync_functions", "sync_place"]
