"""The registry of functions: what AWS says they are, and what changed."""

from services_registry.registry.sync import SyncResult, sync_functions

__all__ = ["SyncResult", "sync_functions"]
