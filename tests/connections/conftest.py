"""A carrier with a real server, and the real fetch function in the local AWS between it and us."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from core.aws import storage
from embedded.carrier.pdf import one_page_pdf
from services_registry.batches import drain
from services_registry.choices import OPEN_BATCHES
from services_registry.models import Batch
from shipments.connections import cleaning, fetching, sweeps
from shipments.models import Carrier, CarrierConnection, RemoteFile, Shipment
from shipments.setup import _publish
from tests.functions.carrier_servers import PASSWORD, USER, Server, ftp_server


def pdf(text: str = "", filler: int = 0) -> bytes:
    """A readable one-page PDF that differs by its text; `filler` makes it longer."""
    return one_page_pdf([text, "x" * filler])


@pytest.fixture(scope="session")
def fetch_function() -> None:
    """The function as it is now, in the local AWS."""
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    _publish(lambda _words: None)
    storage.ensure_bucket()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The carrier's folder; documents lie in /pod."""
    (tmp_path / "server" / "pod").mkdir(parents=True)
    (tmp_path / "server" / "done").mkdir()
    return tmp_path / "server"


@pytest.fixture
def server(root: Path) -> Iterator[Server]:
    with ftp_server(root, rights="elrdf") as running:
        yield running


@pytest.fixture
def carrier(transactional_db: None) -> Carrier:
    return Carrier.objects.create(code="swift", name="Swift Parcel")


@pytest.fixture
def connection(carrier: Carrier, server: Server, fetch_function: None) -> CarrierConnection:
    return CarrierConnection.objects.create(
        carrier=carrier, protocol="ftp", host="127.0.0.1", port=server.port, username=USER, password=PASSWORD,
        directory="/pod", pattern="{tracking_number}*.pdf", timeout_s=3, sweep_minutes=30,
    )  # fmt: skip


@pytest.fixture
def shipment_of(carrier: Carrier) -> Callable[[str], Shipment]:
    return lambda number: Shipment.objects.create(carrier=carrier, tracking_number=number, status="delivered")


def work(patience_s: float = 60) -> None:
    """Do what workers do, until no batch is open."""
    if not Batch.objects.filter(state__in=OPEN_BATCHES).exists():
        return
    over = drain(lambda: not Batch.objects.filter(state__in=OPEN_BATCHES).exists(), patience_s)
    assert over, list(Batch.objects.values("title", "state", "succeeded", "failed"))


def sweep(connection: CarrierConnection) -> dict[str, int]:
    """One listing, as if the last was some time ago; what it found, in counts."""
    RemoteFile.objects.filter(connection=connection).update(last_seen=timezone.now() - timedelta(minutes=5))
    sweeps.sweep(connection)
    work()
    connection.refresh_from_db()
    return dict(connection.last_listing)


def fetch(connection: CarrierConnection) -> None:
    """Fetch what waits, then clean up what is kept."""
    fetching.fetch_waiting(connection)
    work()
    cleaning.clean_fetched(connection)
    work()


def sweep_and_fetch(connection: CarrierConnection) -> None:
    """Two listings, so that files are known to be whole, and what follows."""
    sweep(connection)
    sweep(connection)
    fetch(connection)
