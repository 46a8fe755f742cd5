"""The platform's own steps of the first start: groups, and three logins with random passwords."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from core import slots
from core.aws_calls.prices import seed_prices
from core.roles import LOGINS, ensure_groups, give_role

Log = Callable[[str], None]


def logins_file() -> Path:
    """`[{"username", "password", "role"}]`, readable by its owner only."""
    return Path(settings.VAR_DIR) / "logins.json"


def make_groups(log: Log) -> None:
    ensure_groups()
    log("viewer, operator, ops lead, admin are in place")


def price_calls(log: Log) -> None:
    log(f"{seed_prices()} prices of calls to AWS added")


@transaction.atomic
def make_logins(log: Log) -> None:
    """Make the three accounts once. Passwords are never reset while the file that holds them exists."""
    path = logins_file()
    known = _read(path)
    made = [_make(role) for role in LOGINS if role not in known or not _exists(role)]
    if not made:
        log(f"kept as they are, see {path.name}")
        return
    merged = known | {entry["username"]: entry for entry in made}
    _write(path, list(merged.values()))
    log(f"made {', '.join(entry['username'] for entry in made)}; passwords are in {path.name}")


def _exists(username: str) -> bool:
    return get_user_model().objects.filter(username=username).exists()


def _make(role: str) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user, _created = get_user_model().objects.get_or_create(username=role)
    user.set_password(password)
    user.is_active = True
    user.save()
    give_role(user, role)
    return {"username": role, "password": password, "role": role}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """By username; a lost or unreadable file means that nobody knows the passwords any more."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {entry["username"]: entry for entry in entries}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _write(path: Path, entries: list[dict[str, Any]]) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=2)
        file.write("\n")
    draft.replace(path)


slots.setup_steps.register(
    slots.SetupStep(name="groups", run=make_groups, order=0),
    slots.SetupStep(name="logins", run=make_logins, order=5),
    slots.SetupStep(name="prices of calls", run=price_calls, order=14),
)
