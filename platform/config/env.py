"""Typed readers of environment variables that refuse odd values by name.

Every reader also accepts `<NAME>_FILE`, the path of a file holding the value (container secrets).
"""

import ipaddress
import json
import os
import shlex
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The value of `name`, or of the file named by `<name>_FILE`, or the default."""
    file_name = os.environ.get(f"{name}_FILE")
    if file_name:
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            message = f"{name}_FILE names {file_name}, which cannot be read: {why}"
            raise ImproperlyConfigured(message) from error
    return os.environ.get(name, default).strip()


def boolean(name: str, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def integer(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31) -> int:
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name} must lie between {minimum} and {maximum}, not {number}.")
    return number


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list; blanks are dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def networks(name: str) -> list[str]:
    """A comma-separated list of networks like 10.2.0.0/16."""
    found = items(name)
    for text_ in found:
        try:
            ipaddress.ip_network(text_, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must list networks like 10.2.0.0/16: {error}.") from error
    return found


def mapping(name: str) -> dict[str, object]:
    """A JSON object, empty when unset."""
    value = text(name)
    if not value:
        return {}
    try:
        parsed = json.loads(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a JSON object: {error}") from error
    if not isinstance(parsed, dict):
        raise ImproperlyConfigured(f"{name} must be a JSON object, not {type(parsed).__name__}.")
    return parsed


def load_stack_file(path: Path) -> bool:
    """Take over the addresses of the running embedded stack, unless the environment already names a database.

    The stack writes `KEY=value` lines (shell quoting) when it starts and removes the file when it stops.
    """
    if "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ or not path.exists():
        return False
    for line in path.read_text(encoding="utf-8").splitlines():
        key, found, value = line.partition("=")
        if found and not key.startswith("#"):
            os.environ.setdefault(key.strip(), "".join(shlex.split(value)) if value[:1] in "'\"" else value)
    return True
