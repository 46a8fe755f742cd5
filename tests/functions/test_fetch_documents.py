"""Fetching over real sockets: the same story over FTP, FTPS with demanded session reuse, and SFTP."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shipments.functions.fetch_documents.handler import handler
from tests.functions.carrier_servers import PASSWORD, USER, Server, certificate, ftp_server, sftp_server
from tests.functions.support import Clock, content, envelope

PDF = b"%PDF-1.4\n" + b"proof of delivery " * 5_000 + b"\n%%EOF\n"
PROTOCOLS = ["ftp", "ftps", "sftp"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A carrier's folder: files of shipments 100, 101 and 1001, one cut short, one not a PDF, a folder in between."""
    pod = tmp_path / "root" / "pod"
    pod.mkdir(parents=True)
    for name in ("100_a.pdf", "100-b.PDF", "1001.pdf", "X-101 größe.pdf"):
        (pod / name).write_bytes(PDF + name.encode())
    (pod / "cut_102.pdf").write_bytes(PDF[:4_000])
    (pod / "103.tif").write_bytes(b"II*\x00" + b"scan")
    (pod / "big_104.pdf").write_bytes(PDF * 3)
    (pod / "105.pdf").mkdir()
    (tmp_path / "root" / "secret_100.pdf").write_bytes(PDF)
    return tmp_path / "root"


@pytest.fixture(params=PROTOCOLS)
def carrier(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Iterator[tuple[dict[str, Any], Server]]:
    """A connection as the dashboard sends it, and the server behind it."""
    with ExitStack() as stack:
        if request.param == "ftp":
            server = stack.enter_context(ftp_server(root))
        elif request.param == "ftps":
            file, pem = certificate(tmp_path)
            server = stack.enter_context(ftp_server(root, tls=file, pem=pem))
        else:
            server = stack.enter_context(sftp_server(root))
        yield connection(request.param, server), server


def connection(protocol: str, server: Server, **more: Any) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "host": "127.0.0.1",
        "port": server.port,
        "username": USER,
        "password": PASSWORD,
        "directory": "/pod",
        "pattern": "*{tracking_number}*",
        "tls": {"reuse_session": True, "ca_pem": server.pem or None},
        "host_key": server.host_key or None,
        "timeout_s": 5,
    } | more


def fetch(target: dict[str, Any], *numbers: str, seconds: float = 120) -> list[dict[str, Any]]:
    items = [
        {"id": f"item {number}", "tracking_number": number, "document_type": "proof_of_delivery"} for number in numbers
    ]
    answer = handler(envelope(items, {"connection": target}), Clock(seconds))
    assert answer["unfinished"] == []
    return list(answer["results"])


def test_fetches_many_shipments_over_one_connection_and_one_listing(carrier: tuple[dict[str, Any], Server]) -> None:
    target, server = carrier
    several, spaced, absent, scan, folder = fetch(target, "100", "101", "999", "103", "105")
    assert [file["name"] for file in several["value"]["files"]] == ["100-b.PDF", "100_a.pdf"]
    for file in several["value"]["files"]:
        found = content(file["file"])
        assert found == PDF + file["name"].encode() and file["sha256"] == hashlib.sha256(found).hexdigest()
        assert file["content_type"] == "application/pdf" and "problem" not in file
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", file["modified"])
        assert file["remote_path"] == f"/pod/{file['name']}"
    assert spaced["value"]["files"][0]["name"] == "X-101 größe.pdf"
    assert scan["value"]["files"][0]["content_type"] == "image/tiff"
    for missing in (absent, folder):
        assert missing["error"]["type"] == "NotFound" and missing["error"]["retryable"] is False
    assert server.logins == 1
    assert server.commands.count("MLSD") + server.commands.count("scandir") == 1


def test_delivers_a_cut_off_file_with_its_problem(carrier: tuple[dict[str, Any], Server]) -> None:
    (file,) = fetch(carrier[0], "102")[0]["value"]["files"]
    assert file["problem"].startswith("truncated: ") and file["file"]["bytes"] == 4_000


def test_refuses_files_over_the_limit_and_goes_on(carrier: tuple[dict[str, Any], Server]) -> None:
    big, small = fetch(carrier[0] | {"max_bytes": 200_000}, "104", "101")
    assert big["error"]["type"] == "TooLarge" and "200000" in big["error"]["message"]
    assert small["ok"] is True


def test_reconnects_once_after_a_drop(carrier: tuple[dict[str, Any], Server]) -> None:
    target, server = carrier
    server.drops = 1
    assert all(result["ok"] for result in fetch(target, "101", "103"))
    assert server.logins == 2


def test_leaves_a_server_alone_that_keeps_dropping(carrier: tuple[dict[str, Any], Server]) -> None:
    target, server = carrier
    server.drops = 1_000
    results = fetch(target, *["100", "101", "103", "1001", "102"])
    assert {result["error"]["type"] for result in results} == {"ConnectionLost"}
    assert all(result["error"]["retryable"] for result in results)
    assert server.logins <= 4


def test_a_wrong_password_is_every_items_error(carrier: tuple[dict[str, Any], Server]) -> None:
    results = fetch(carrier[0] | {"password": "wrong"}, "100", "101")
    assert [result["error"]["type"] for result in results] == ["AuthenticationFailed"] * 2
    assert not any(result["error"]["retryable"] or "wrong" in result["error"]["message"] for result in results)


def test_a_directory_that_is_not_there_is_named(carrier: tuple[dict[str, Any], Server]) -> None:
    error = fetch(carrier[0] | {"directory": "/nowhere"}, "100")[0]["error"]
    assert error["type"] == "NotFound" and "/nowhere" in error["message"]


@pytest.mark.parametrize("number", ["../secret_100", "..%2fsecret_100", "*", ".*", "1?0", "[0-9]", "10(0|1)", ""])
def test_a_tracking_number_is_only_ever_literal_text(root: Path, number: str) -> None:
    with ftp_server(root) as server:
        error = fetch(connection("ftp", server), number)[0]["error"]
        assert error["type"] in ("NotFound", "BadData")
        assert "RETR" not in server.commands


def test_understands_servers_without_mlsd(root: Path) -> None:
    with ftp_server(root, mlsd=False) as server:
        several, folder = fetch(connection("ftp", server), "100", "105")
    assert [file["name"] for file in several["value"]["files"]] == ["100-b.PDF", "100_a.pdf"]
    assert folder["error"]["type"] == "NotFound"


def test_says_when_the_user_may_not_read(root: Path) -> None:
    with ftp_server(root, rights="el") as server:
        error = fetch(connection("ftp", server), "101")[0]["error"]
    assert error["type"] == "PermissionDenied" and error["retryable"] is False


def test_hands_items_back_when_time_runs_out(root: Path) -> None:
    with ftp_server(root) as server:
        items = [{"id": str(n), "tracking_number": str(n)} for n in range(3)]
        answer = handler(envelope(items, {"connection": connection("ftp", server)}), Clock(0.0))
    assert len(answer["results"]) + len(answer["unfinished"]) == 3
