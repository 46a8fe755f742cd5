"""The carrier stand-in speaks the real protocols, insists on what carriers insist on, and is predictable."""

from __future__ import annotations

import asyncio
import ftplib
import io
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pypdf
import pytest

from tests.embedded.running_stack import ROOT, environment, eventually, stack

NUMBERS = {name: [f"{name.upper()}{n:06d}" for n in range(120)] for name in ("ftp", "ftps", "sftp")}
Seeded = dict[str, dict[str, Any]]


class ReusingFTPS(ftplib.FTP_TLS):
    """As `ftplib.FTP_TLS`, but the data connection resumes the control connection's TLS session."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  # TLS is put around it below
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session), size


def seed(data: Path, numbers: dict[str, list[str]], late: float = 60.0) -> Seeded:
    file = data / "numbers.json"
    file.write_text(json.dumps(numbers))
    given = ["seed", "--data", str(data / "carrier"), "--file", str(file), "--late", str(late)]
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "embedded.carrier", *given], capture_output=True, text=True, check=True,
        timeout=60, env=environment(), cwd=ROOT,
    )  # fmt: skip
    answer: Seeded = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path, Seeded]]:
    """(address and login, data folder, what was seeded) of a running stand-in."""
    data = tmp_path_factory.mktemp("carrier")
    with stack(data, only="carrier") as running:
        yield json.loads(running.env["CARRIER_STANDIN"]), data, seed(data, NUMBERS, late=0.5)


def fetch(client: ftplib.FTP, name: str) -> bytes:
    content = io.BytesIO()
    client.retrbinary(f"RETR /pod/{name}", content.write)
    return content.getvalue()


def present(seeded: Seeded, protocol: str) -> str:
    """A tracking number whose document is there, whole."""
    without = {*seeded[protocol]["missing"], *seeded[protocol]["late"], *seeded[protocol]["truncated"]}
    return next(number for number in NUMBERS[protocol] if number not in without)


def tls_context(facts: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=facts["ca_pem"])
    context.check_hostname = True
    return context


@pytest.mark.slow
def test_serves_a_readable_document_over_ftp(carrier: tuple[dict[str, Any], Path, Seeded]) -> None:
    facts, _data, seeded = carrier
    number = present(seeded, "ftp")
    with ftplib.FTP(timeout=10) as client:  # noqa: S321  # plain FTP is what many carriers offer
        client.connect("127.0.0.1", facts["ftp"])
        client.login(facts["username"], facts["password"])
        pdf = fetch(client, f"{number}.pdf")
    text = pypdf.PdfReader(io.BytesIO(pdf), strict=True).pages[0].extract_text()
    assert number in text


def test_serves_ftps_to_a_client_that_reuses_its_tls_session(carrier: tuple[dict[str, Any], Path, Seeded]) -> None:
    facts, _data, seeded = carrier
    with ReusingFTPS(timeout=10, context=tls_context(facts)) as client:
        client.connect("127.0.0.1", facts["ftps"])
        client.login(facts["username"], facts["password"])
        client.prot_p()
        # Two files: each data connection has to resume the session anew.
        for number in (present(seeded, "ftps"), present(seeded, "ftps")):
            assert fetch(client, f"{number}.pdf").rstrip().endswith(b"%%EOF")


def test_refuses_ftps_data_without_session_reuse(carrier: tuple[dict[str, Any], Path, Seeded]) -> None:
    facts, _data, seeded = carrier
    with ftplib.FTP_TLS(timeout=10, context=tls_context(facts)) as client:  # noqa: S321  # the refusal is the point
        client.connect("127.0.0.1", facts["ftps"])
        client.login(facts["username"], facts["password"])
        client.prot_p()
        with pytest.raises((ftplib.Error, OSError, EOFError)):
            fetch(client, f"{present(seeded, 'ftps')}.pdf")


def test_refuses_a_login_in_the_clear_on_the_ftps_port(carrier: tuple[dict[str, Any], Path, Seeded]) -> None:
    facts, _data, _seeded = carrier
    with ftplib.FTP(timeout=10) as client:  # noqa: S321  # the refusal is the point
        client.connect("127.0.0.1", facts["ftps"])
        with pytest.raises(ftplib.error_perm):
            client.login(facts["username"], facts["password"])


def test_serves_sftp_with_the_host_key_it_told(carrier: tuple[dict[str, Any], Path, Seeded]) -> None:
    facts, _data, seeded = carrier
    number = present(seeded, "sftp")

    async def get() -> tuple[str, bytes]:
        async with (
            asyncssh.connect(
                "127.0.0.1", facts["sftp"], username=facts["username"], password=facts["password"], known_hosts=None
            ) as connection,
            connection.start_sftp_client() as client,
        ):
            key = connection.get_server_host_key()
            assert key is not None
            async with client.open(f"/pod/{number}.pdf", "rb") as file:
                return key.get_fingerprint(), await file.read()

    told, pdf = asyncio.run(asyncio.wait_for(get(), 20))
    assert told == facts["host_key"]
    assert number in pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


@pytest.mark.slow
def test_delivers_the_late_ones_later_and_cuts_off_exactly_one(carrier: tuple[dict[str, Any], Path, Seeded]) -> None:
    _facts, data, seeded = carrier
    for protocol, facts in seeded.items():
        folder = data / "carrier" / protocol / "pod"
        assert facts["missing"] and facts["late"]
        assert not any((folder / f"{number}.pdf").exists() for number in facts["missing"])
        assert eventually(lambda f=folder, n=facts["late"]: all((f / f"{x}.pdf").exists() for x in n), 10)  # type: ignore[misc]  # bound at once
        cut = [file.stem for file in folder.glob("*.pdf") if not file.read_bytes().rstrip().endswith(b"%%EOF")]
        assert cut == facts["truncated"] and len(cut) == 1


@pytest.mark.slow
def test_seeding_twice_changes_nothing(tmp_path: Path) -> None:
    first = seed(tmp_path, NUMBERS)
    files = {path: path.read_bytes() for path in (tmp_path / "carrier").rglob("*") if path.is_file()}
    assert seed(tmp_path, NUMBERS) == first
    assert {path: path.read_bytes() for path in (tmp_path / "carrier").rglob("*") if path.is_file()} == files
