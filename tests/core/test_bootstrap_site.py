"""The first start makes groups and logins; later starts change nothing; a lost file gets new passwords."""

import json
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from core.setup import make_groups, make_logins

pytestmark = pytest.mark.django_db


def start() -> None:
    make_groups(print_nothing)
    make_logins(print_nothing)


def print_nothing(text: str) -> None:
    """A log that nobody reads."""


def logins() -> dict[str, str]:
    entries = json.loads((Path(settings.VAR_DIR) / "logins.json").read_text())
    return {entry["username"]: entry["password"] for entry in entries}


def test_made_logins_work_and_are_private() -> None:
    start()
    path = Path(settings.VAR_DIR) / "logins.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(logins()) == {"viewer", "operator", "admin"}
    for username, password in logins().items():
        assert Client().login(username=username, password=password)


def test_roles_differ_by_what_they_may() -> None:
    start()
    may = {
        u.username: (u.has_perm("core.operate"), u.has_perm("core.administer"), u.is_staff) for u in User.objects.all()
    }
    assert may["viewer"] == (False, False, False)
    assert may["operator"] == (True, False, False)
    assert may["admin"] == (True, True, True)


def test_second_start_keeps_passwords_and_people() -> None:
    start()
    before = logins()
    changed = User.objects.get(username="viewer")
    changed.set_password("chosen by the person")
    changed.save()
    start()
    assert logins() == before
    assert Client().login(username="viewer", password="chosen by the person")
    assert (User.objects.count(), Group.objects.count()) == (3, 4)


def test_lost_file_brings_new_passwords_for_the_same_accounts() -> None:
    start()
    before = logins()
    (Path(settings.VAR_DIR) / "logins.json").unlink()
    start()
    assert set(logins()) == set(before)
    assert not set(logins().values()) & set(before.values())
    assert User.objects.count() == 3


def test_command_runs_registered_steps_in_order_and_skips_sample_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from core import slots

    ran: list[str] = []
    steps: slots.Slot[slots.SetupStep] = slots.Slot()
    steps.register(slots.SetupStep("late", lambda log: ran.append("late"), order=9))
    steps.register(slots.SetupStep("early", lambda log: ran.append("early"), order=1))
    steps.register(slots.SetupStep("sample", lambda log: ran.append("sample"), order=5, sample_only=True))
    monkeypatch.setattr(slots, "setup_steps", steps)
    call_command("bootstrap_site")
    assert ran == ["early", "late"]
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["early", "late"]
