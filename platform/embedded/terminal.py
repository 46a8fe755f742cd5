"""Status lines for the person at the terminal.

With `--ready-json` they go to stderr, so that stdout stays machine-readable.
"""

import sys
from typing import TextIO


class Terminal:
    """Writes lines to one stream; a terminal that went away is not an error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        colour = self.stream.isatty()
        self._marks = {
            "ok": "\033[32m✓\033[0m" if colour else "✓",
            "warn": "\033[33m!\033[0m" if colour else "!",
            "wait": "…",
            "": " ",
        }

    def say(self, text: str = "", mark: str = "") -> None:
        try:
            self.stream.write(f"  {self._marks[mark]} {text}".rstrip() + "\n")
            self.stream.flush()
        except (OSError, ValueError, UnicodeEncodeError):
            self._say_plainly(text)

    def _say_plainly(self, text: str) -> None:
        try:
            self.stream.write(text.encode("ascii", "replace").decode() + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            return
