"""What the stack cannot do it says in a sentence that names the way out."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from tests.embedded.running_stack import refused, stack


@pytest.mark.slow
def test_refuses_a_second_start_on_the_same_data_and_says_who_runs(tmp_path: Path) -> None:
    data = tmp_path / "var"
    with stack(data, only="valkey") as running:
        said = refused(data, "--only", "valkey")
        assert "already running" in said
        assert f"process {running.process.pid} since" in said
        assert running.child("valkey-server"), "the first one must not have been hurt"


def test_names_who_holds_a_busy_port_and_offers_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(tmp_path / "var", "--port", str(port))
    assert f"Port {port} is taken by" in said
    assert f"(pid {os.getpid()})" in said
    assert "PORT=" in said


def test_refuses_a_database_made_by_another_major_version(tmp_path: Path) -> None:
    cluster = tmp_path / "var" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("12\n")
    assert "was made by PostgreSQL 12" in refused(tmp_path / "var", "--only", "postgres")
    assert (cluster / "PG_VERSION").read_text() == "12\n"


def test_refuses_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("something of yours")
    assert "is in the way" in refused(tmp_path / "var", "--only", "valkey")
    assert (tmp_path / "var").read_text() == "something of yours"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_refuses_a_data_folder_of_somebody_else(tmp_path: Path) -> None:
    data = tmp_path / "var"
    data.mkdir()
    os.chown(data, 65534, 65534)
    assert "belongs to nobody" in refused(data, "--only", "valkey")


def test_does_not_replace_a_damaged_key_file(tmp_path: Path) -> None:
    data = tmp_path / "var"
    data.mkdir()
    (data / "secrets.json").write_text(json.dumps({"SECRET_KEY": "only half"}))
    assert "is damaged" in refused(data, "--only", "valkey")


@pytest.mark.slow
def test_gives_up_on_a_child_that_keeps_dying_and_shows_the_end_of_its_log(tmp_path: Path) -> None:
    data = tmp_path / "var"
    (data / "valkey" / "appendonlydir").mkdir(parents=True)
    (data / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("this is no manifest\n")
    said = refused(data, "--only", "valkey")
    assert "giving up" in said
    assert str(data / "log" / "valkey.log") in said
