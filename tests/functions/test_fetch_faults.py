"""Servers at their worst, over real sockets: nothing is lost, nothing hangs, and the reason can be read."""

from __future__ import annotations

import ftplib  # noqa: S402  # to occupy what a server has
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from shipments.functions.fetch_documents.handler import handler
from tests.functions.carrier_servers import Server, certificate, ftp_server, sftp_server
from tests.functions.support import Clock, content, envelope
from tests.functions.test_fetch_documents import PROTOCOLS, connection, fetch

BIG = b"%PDF-1.4\n" + os.urandom(2_500_000) + b"\n%%EOF\n"
SMALL = b"%PDF-1.4 small %%EOF\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "pod").mkdir(parents=True)
    (tmp_path / "root" / "pod" / "100.pdf").write_bytes(BIG)
    (tmp_path / "root" / "pod" / "101.pdf").write_bytes(SMALL)
    return tmp_path / "root"


@pytest.fixture(params=PROTOCOLS)
def carrier(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Iterator[tuple[dict[str, Any], Server]]:
    with ExitStack() as stack:
        if request.param == "sftp":
            server = stack.enter_context(sftp_server(root))
        else:
            file, pem = certificate(tmp_path)
            tls = {"tls": file, "pem": pem} if request.param == "ftps" else {}
            server = stack.enter_context(ftp_server(root, rights="elrdf", **tls))  # type: ignore[arg-type]  # as named
        yield connection(request.param, server, pattern="{tracking_number}*"), server


def ask(target: dict[str, Any], *items: dict[str, Any]) -> list[dict[str, Any]]:
    numbered = [{"id": str(number), **item} for number, item in enumerate(items)]
    return list(handler(envelope(numbered, {"connection": target}), Clock(120))["results"])


def listed(target: dict[str, Any], **more: Any) -> dict[str, Any]:
    (answer,) = ask(target, {"do": "list", **more})
    assert answer["ok"], answer
    return dict(answer["value"])


def test_goes_on_where_a_transfer_broke_off(carrier: tuple[dict[str, Any], Server]) -> None:
    target, server = carrier
    server.cuts, server.cut_at = (1 if target["protocol"] == "sftp" else 2), 1_200_000  # SFTP reads by the megabyte
    (result,) = fetch(target, "100")
    assert result["ok"], result
    (file,) = result["value"]["files"]
    assert content(file["file"]) == BIG and "problem" not in file
    assert server.cuts == 0 and server.logins >= 2
    assert max(server.resumed_from) > 1_000_000, "not from the beginning again"


def test_begins_anew_where_the_server_cannot_go_on(root: Path) -> None:
    with ftp_server(root, without=("REST",)) as server:
        server.cuts, server.cut_at = 1, 200_000
        (file,) = fetch(connection("ftp", server), "100")[0]["value"]["files"]
    assert content(file["file"]) == BIG


def test_does_not_glue_two_editions_together(root: Path, carrier: tuple[dict[str, Any], Server]) -> None:
    target, server = carrier
    server.cuts, server.cut_at = 1, 1_200_000
    other_edition = os.urandom(len(BIG))

    def replace_it() -> None:
        while server.cuts:
            time.sleep(0.002)
        (root / "new.pdf").write_bytes(other_edition)
        (root / "new.pdf").replace(root / "pod" / "100.pdf")

    other = threading.Thread(target=replace_it)
    other.start()
    (result,) = fetch(target, "100")
    other.join()
    if result["ok"]:  # the new edition came too late, or early enough, for all of this transfer
        assert content(result["value"]["files"][0]["file"]) in (BIG, other_edition)
    else:
        assert result["error"]["type"] == "StillGrowing" and result["error"]["retryable"]


def test_lists_with_addresses_that_can_be_read_and_cleaned_up(
    carrier: tuple[dict[str, Any], Server], root: Path
) -> None:
    target, _server = carrier
    (root / "pod" / "größe #1%.pdf").write_bytes(SMALL)
    (root / "done").mkdir()
    value = listed(target)
    files = {file["name"]: file for file in value["files"]}
    assert set(files) == {"100.pdf", "101.pdf", "größe #1%.pdf"} and value["total"] == 3 and not value["cut"]
    assert all(file["modified"].endswith("+00:00") and file["size"] for file in files.values())
    odd = files["größe #1%.pdf"]
    read, moved, deleted, again, grown = ask(
        target,
        {"do": "read", **odd},
        {"do": "clean", **odd, "move_to": "/done"},
        {"do": "clean", **files["101.pdf"]},
        {"do": "clean", **files["101.pdf"]},
        {"do": "clean", **files["100.pdf"], "size": 5},
    )
    assert content(read["value"]["files"][0]["file"]) == SMALL
    assert moved["value"] == {"done": "moved"} and (root / "done" / "größe #1%.pdf").exists()
    assert deleted["value"] == {"done": "deleted"} and again["value"] == {"done": "was gone"}
    assert grown["error"]["type"] == "Changed" and (root / "pod" / "100.pdf").exists()


def test_a_listing_that_never_ends_is_cut(root: Path) -> None:
    with ftp_server(root) as server:
        server.endless = True
        started = time.monotonic()
        value = listed(connection("ftp", server, max_entries=2_000), limit=10)
        assert time.monotonic() - started < 5
        assert value["cut"] and value["total"] == 2_000 and len(value["files"]) == 10
        server.endless = False
        assert fetch(connection("ftp", server), "101")[0]["ok"]


def test_a_server_that_lies_about_the_size_is_told_from_one_that_grows(root: Path) -> None:
    with ftp_server(root) as server:
        server.size_lie = 1_000
        target = connection("ftp", server)
        (file,) = [file for file in listed(target)["files"] if file["name"] == "101.pdf"]
        (lied,) = ask(target, {"do": "read", **file})
        assert lied["value"]["files"][0]["problem"].startswith("truncated")
        server.size_lie = 0
        (grows,) = ask(target, {"do": "read", **file})
    assert grows["error"]["type"] == "StillGrowing"


@pytest.mark.slow
def test_waits_for_a_session_and_says_when_there_is_none(root: Path) -> None:
    with ftp_server(root, sessions=4) as server:
        held = [ftplib.FTP() for _ in range(4)]  # noqa: S321  # the same
        for one in held:
            one.connect("127.0.0.1", server.port)
        threading.Timer(0.5, held[0].close).start()
        assert fetch(connection("ftp", server), "101")[0]["ok"], "the fifth waits until one is free"
        _until_connected(held[0], server.port)
        error = fetch(connection("ftp", server), "101")[0]["error"]
        for one in held:
            one.close()
    assert error["type"] == "ServerBusy" and error["retryable"] and "421" in error["message"]


def _until_connected(client: ftplib.FTP, port: int) -> None:
    """The server needs a moment to notice that a session is over."""
    for _ in range(100):
        try:
            client.connect("127.0.0.1", port)
            return
        except ftplib.error_temp:
            time.sleep(0.05)


@pytest.mark.parametrize(("implicit", "protocol"), [(True, "ftps_implicit"), (False, "ftps")])
def test_speaks_tls_from_the_first_byte_or_on_demand(root: Path, tmp_path: Path, implicit: bool, protocol: str) -> None:
    file, pem = certificate(tmp_path)
    with ftp_server(root, tls=file, pem=pem, implicit=implicit) as server:
        assert fetch(connection(protocol, server), "101")[0]["ok"]
        (checked,) = ask(connection(protocol, server), {"do": "check"})
        assert [step["step"] for step in checked["value"]["steps"]] == ["resolve", "connect", "tls", "login", "list"]
        (strange,) = ask(connection(protocol, server, tls={"ca_pem": None}), {"do": "check"})
    assert checked["value"]["ok"] and not checked["value"]["not_reached"]
    last = strange["value"]["steps"][-1]
    assert (last["step"], last["type"]) == ("tls", "CertificateInvalid")
    assert strange["value"]["not_reached"] == ["login", "list"]


def test_active_mode(root: Path) -> None:
    with ftp_server(root) as server:
        assert fetch(connection("ftp", server, passive=False), "101")[0]["ok"]
        assert {"PORT", "EPRT"} & set(server.commands) and not {"PASV", "EPSV"} & set(server.commands)


def test_logs_in_with_a_key(root: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    with sftp_server(root, public_key=key.export_public_key().decode()) as server:
        target = connection("sftp", server, password="", private_key=key.export_private_key().decode())
        assert fetch(target, "101")[0]["ok"]


def test_refuses_names_that_lead_elsewhere_and_says_so(root: Path) -> None:
    names = ["../../etc/passwd", "a\\b.pdf", "bell\x07.pdf", "x" * 300 + ".pdf"]
    with ftp_server(root) as server:
        server.extra_lines = [f"type=file;size=5;modify=20261101000000; {name}" for name in names]
        value = listed(connection("ftp", server))
        assert {file["name"] for file in value["files"]} == {"100.pdf", "101.pdf"}
        assert [why for _name, why in value["refused"]] == [
            "its name holds a path", "its name holds a path", "its name holds control characters",
            "its name has 304 characters, more than the 255 that file systems take",
        ]  # fmt: skip
        (read,) = ask(connection("ftp", server), {"do": "read", "address": "/pod/../../etc/passwd"})
    assert read["error"]["type"] == "BadData"


def test_windows_listings_and_names_in_cp1252(root: Path) -> None:
    with ftp_server(root, mlsd=False) as server:
        server.extra_lines = ["11-23-26  09:41AM                51200 gr\xf6\xdfe_9.pdf", "garbage that nobody reads"]
        value = listed(connection("ftp", server))
    (odd,) = [file for file in value["files"] if file["name"] == "größe_9.pdf"]
    assert odd["address"] == "/pod/gr%F6%DFe_9.pdf" and odd["modified"] == "2026-11-23T09:41:00"
    assert value["unread"] == 1


@pytest.mark.parametrize(
    ("change", "step", "kind", "later"),
    [
        ({"password": "wrong"}, "login", "AuthenticationFailed", ["list"]),
        ({"directory": "/nowhere"}, "list", "NotFound", []),
        ({"host": "no-such-host.invalid"}, "resolve", "HostNotFound", ["connect", "login", "list"]),
        ({"port": 1}, "connect", "ConnectionRefused", ["login", "list"]),
    ],
)
def test_a_check_names_the_step_that_fails(
    root: Path, change: dict[str, Any], step: str, kind: str, later: list[str]
) -> None:
    with ftp_server(root) as server:
        (answer,) = ask(connection("ftp", server) | change, {"do": "check"})
    last = answer["value"]["steps"][-1]
    assert (last["step"], last["ok"], last["type"]) == (step, False, kind)
    assert not answer["value"]["ok"] and answer["value"]["not_reached"] == later
    assert "wrong" not in str(answer["value"])


def test_a_check_offers_an_unknown_host_key(root: Path) -> None:
    with sftp_server(root) as server:
        (answer,) = ask(connection("sftp", server, host_key=None), {"do": "check"})
        last = answer["value"]["steps"][-1]
        assert (last["step"], last["type"]) == ("host_key", "HostKeyUnknown") and server.host_key in last["said"]
