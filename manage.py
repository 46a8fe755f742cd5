#!/usr/bin/env python3
"""Django's command line, runnable from a bare clone: finds the project's own interpreter and import path."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    # One line for a clone without an editable install: `platform/` is a folder on the path, never a package.
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        own_python = ROOT / ".venv" / "bin" / "python"
        if own_python.exists() and Path(sys.prefix) != ROOT / ".venv":
            os.execv(own_python, [str(own_python), *sys.argv])
        sys.exit("Django is not installed for this Python. Run `make setup` once, then try again.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
