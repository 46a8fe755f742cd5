"""Rules of admins: when something happens, if it is of a kind, then do something. Tried out over history first."""

from shipments.automations.changes import end_automation, save_automation
from shipments.automations.happenings import Happening, happenings, tried_out
from shipments.automations.run import run_automations

__all__ = ["Happening", "end_automation", "happenings", "run_automations", "save_automation", "tried_out"]
