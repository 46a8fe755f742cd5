"""One line of time for a delivery: what carriers said and wrote, documents, function runs, people's actions and notes."""

from shipments.timeline.asked import Asked
from shipments.timeline.entries import KINDS, Entry
from shipments.timeline.reading import Timeline, timeline_of

__all__ = ["KINDS", "Asked", "Entry", "Timeline", "timeline_of"]
