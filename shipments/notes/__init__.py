"""Notes of people about deliveries: written, changed, deleted and taken back; who is mentioned is told."""

from shipments.notes.writing import change_note, delete_note, own_note, restore_note, write_note

__all__ = ["change_note", "delete_note", "own_note", "restore_note", "write_note"]
