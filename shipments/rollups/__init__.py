"""The numbers of the home page: counted every few minutes into small tables, and read from there."""

from shipments.rollups.counting import ask_refresh, refresh

__all__ = ["ask_refresh", "refresh"]
