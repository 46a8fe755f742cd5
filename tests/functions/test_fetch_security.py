"""Who we talk to: certificates and host keys are verified, faults come in plain words and in time."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.functions.carrier_servers import Server, certificate, ftp_server, sftp_server
from tests.functions.test_fetch_documents import PDF, PROTOCOLS, connection, fetch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "pod").mkdir(parents=True)
    (tmp_path / "root" / "pod" / "100.pdf").write_bytes(PDF)
    return tmp_path / "root"


def _error(target: dict[str, Any]) -> dict[str, Any]:
    result = fetch(target, "100")[0]
    assert result["ok"] is False, result
    return dict(result["error"])


def test_refuses_a_certificate_nobody_vouches_for(root: Path, tmp_path: Path) -> None:
    file, _ = certificate(tmp_path)
    with ftp_server(root, tls=file) as server:
        error = _error(connection("ftps", server))
        assert error["type"] == "CertificateInvalid" and error["retryable"] is False
        assert "PASS" not in server.commands, "the password must not be sent to a stranger"


def test_refuses_a_certificate_for_another_host(root: Path, tmp_path: Path) -> None:
    file, pem = certificate(tmp_path, host="other.example")
    with ftp_server(root, tls=file, pem=pem) as server:
        assert _error(connection("ftps", server))["type"] == "CertificateInvalid"


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(root: Path) -> None:
    with ftp_server(root) as server:
        error = _error(connection("ftps", server))
        assert error["type"] == "TlsFailed" and error["retryable"] is False
        assert "PASS" not in server.commands


def test_without_session_reuse_the_server_that_demands_it_refuses(root: Path, tmp_path: Path) -> None:
    file, pem = certificate(tmp_path)
    with ftp_server(root, tls=file, pem=pem) as server:
        error = _error(connection("ftps", server, tls={"reuse_session": False, "ca_pem": pem}))
    assert error["type"] == "TlsFailed" and "reuse_session" in error["message"]


def test_switching_reuse_off_works_where_it_is_not_demanded(root: Path, tmp_path: Path) -> None:
    file, pem = certificate(tmp_path)
    with ftp_server(root, tls=file, pem=pem, reuse=False) as server:
        assert fetch(connection("ftps", server, tls={"reuse_session": False, "ca_pem": pem}), "100")[0]["ok"]


def test_refuses_another_host_key_and_names_both(root: Path) -> None:
    with sftp_server(root) as server:
        pinned = "SHA256:" + "A" * 43
        error = _error(connection("sftp", server, host_key=pinned))
        assert error["type"] == "HostKeyMismatch" and error["retryable"] is False
        assert pinned in error["message"] and server.host_key in error["message"] and server.logins == 0


def test_without_a_saved_host_key_offers_the_one_it_saw(root: Path) -> None:
    with sftp_server(root) as server:
        error = _error(connection("sftp", server, host_key=None))
        assert error["type"] == "HostKeyUnknown" and server.host_key in error["message"] and server.logins == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_closed_port_is_a_retryable_refusal(protocol: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = _error(connection(protocol, Server(port=port, host_key="SHA256:x")))
    assert error["type"] == "ConnectionRefused" and error["retryable"] is True


@contextmanager
def _silent_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_silent_server_costs_one_time_out_for_all_items(protocol: str) -> None:
    with _silent_server() as port:
        started = time.monotonic()
        results = fetch(connection(protocol, Server(port=port, host_key="SHA256:x"), timeout_s=0.5), "1", "2", "3", "4")
        assert time.monotonic() - started < 3
    assert {result["error"]["type"] for result in results} == {"TimedOut"}
    assert all(result["error"]["retryable"] for result in results)


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        ({"protocol": "http"}, "BadConnection", "protocol"),
        ({"host": ""}, "BadConnection", "host"),
        ({"port": 0}, "BadConnection", "port"),
        ({"timeout_s": 9999}, "BadConnection", "timeout_s"),
        ({"directory": "/pod/../etc"}, "BadConnection", "directory"),
        ({"protocol": "ftps", "tls": {"ca_pem": "nonsense"}}, "BadConnection", "ca_pem"),
        ({"protocol": "sftp", "host_key": "nonsense"}, "BadConnection", "host_key"),
        ({"protocol": "sftp", "host_key": "SHA256:x", "private_key": "nonsense"}, "BadConnection", "private_key"),
    ],
)
def test_an_incomplete_connection_is_named(change: dict[str, Any], kind: str, word: str) -> None:
    error = _error(connection("ftp", Server(port=1)) | change)
    assert error["type"] == kind and word in error["message"] and error["retryable"] is False


@pytest.mark.parametrize("pattern", ["*.pdf", "../{tracking_number}*", "sub\\{tracking_number}"])
def test_a_dangerous_pattern_is_refused(root: Path, pattern: str) -> None:
    with ftp_server(root) as server:
        assert _error(connection("ftp", server, pattern=pattern))["type"] == "BadPattern"
