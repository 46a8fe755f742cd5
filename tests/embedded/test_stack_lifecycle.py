"""The stack starts in order, heals what falls, leaves nothing behind, and keeps its data."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import psycopg
import pytest
import redis

from tests.embedded.running_stack import eventually, stack


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie nobody has reaped yet counts)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def connectable(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


@pytest.mark.slow
def test_offers_a_real_database_and_a_real_broker_and_stops_when_stdin_closes(tmp_path: Path) -> None:
    data = tmp_path / "var"
    with stack(data) as running:
        with psycopg.connect(running.env["DATABASE_URL"]) as connection:
            assert connection.execute("select similarity('carrier', 'carriers') > 0.5").fetchone() == (True,)
        assert redis.Redis.from_url(running.env["VALKEY_URL"]).ping()
        stack_file = data / "stack.env"
        assert "DATABASE_URL=" in stack_file.read_text()
        assert stat.S_IMODE(stack_file.stat().st_mode) == 0o600
        children = [running.child("postgres"), running.child("valkey-server")]
        assert all(children)
    assert running.process.returncode == 0
    assert all(gone(pid) for pid in children)
    assert not stack_file.exists()


@pytest.mark.slow
def test_brings_back_a_killed_database(tmp_path: Path) -> None:
    with stack(tmp_path / "var") as running:
        url = running.env["DATABASE_URL"]
        with psycopg.connect(url) as connection:
            connection.execute("create table kept as select 42 as answer")
        first = running.child("postgres")
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: running.child("postgres") not in {0, first} and connectable(url))
        with psycopg.connect(url) as connection:
            assert connection.execute("select answer from kept").fetchone() == (42,)


@pytest.mark.slow
def test_leaves_no_child_when_it_is_killed_itself_and_starts_again_with_the_data(tmp_path: Path) -> None:
    data = tmp_path / "var"
    with stack(data) as running:
        with psycopg.connect(running.env["DATABASE_URL"]) as connection:
            connection.execute("create table kept as select 42 as answer")
        redis.Redis.from_url(running.env["VALKEY_URL"]).set("kept", "42")
        secret = running.env["FIELD_ENCRYPTION_KEY"]
        children = [running.child("postgres"), running.child("valkey-server")]
        running.process.kill()
        running.process.wait()
        assert eventually(lambda: all(gone(pid) for pid in children), 10)
    with stack(data) as running:
        with psycopg.connect(running.env["DATABASE_URL"]) as connection:
            assert connection.execute("select answer from kept").fetchone() == (42,)
        assert redis.Redis.from_url(running.env["VALKEY_URL"]).get("kept") == b"42"
        assert running.env["FIELD_ENCRYPTION_KEY"] == secret
