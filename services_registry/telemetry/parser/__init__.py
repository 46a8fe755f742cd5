"""Lambda's log lines -> `PlatformLine`s. Pure Python, no Django: usable from a task, a command or a bare interpreter.

`parse_message(text)` reads one log event, `parse_file(stream)` a whole file (`files.py` says what an event is there).
Two ways give the same result: `fast.py` for standard REPORT, START and END lines, `text.py` and `structured.py` else.
"""

from services_registry.telemetry.parser.files import Tally, parse_file
from services_registry.telemetry.parser.lines import PlatformLine, Reject
from services_registry.telemetry.parser.message import parse_message, parse_value

__all__ = ["PlatformLine", "Reject", "Tally", "parse_file", "parse_message", "parse_value"]
