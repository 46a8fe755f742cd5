"""The Python client that anybody can generate from docs/openapi.yaml works against the running API."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from core.api import sync
from core.models import ApiToken
from shipments.models import Shipment
from tests.factories import make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PACKAGE = "shipment_platform_api_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`generated("api.shipments.shipments_list")`: a module of the client, made as `make client` makes it."""
    target = tmp_path_factory.mktemp("generated") / "client"
    tool = Path(sys.executable).with_name("openapi-python-client")
    described = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
    config = target.with_name("config.yml")
    config.write_text("post_hooks: []\n", encoding="utf-8")
    command = [str(tool), "generate", "--path", str(described), "--output-path", str(target), "--config", str(config)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # our own tool
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(target))
    try:
        yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    finally:
        sys.path.remove(str(target))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def test_it_lists_creates_takes_in_bulk_follows_changes_and_understands_refusals(
    generated: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "MARGIN_S", 0)
    _token, key = ApiToken.issue(user=make_user("operator"), name="client")
    client = generated("client").AuthenticatedClient(
        base_url=live_server.url, token=key, httpx_args={"trust_env": False}
    )
    models = generated("models")

    made = call(generated, "shipments_create", client, body=models.ShipmentCreateRequest(
        carrier="acme", tracking_number="A1", customer="Olmo", promised=datetime(2026, 12, 1, tzinfo=UTC)))  # fmt: skip
    assert (made.carrier, made.customer, made.promised) == ("acme", "Olmo", datetime(2026, 12, 1, tzinfo=UTC))

    rows = [models.BulkRowRequest(carrier="acme", tracking_number=f"B{n}", status="in_transit") for n in range(5)]
    rows.append(models.BulkRowRequest(carrier="acme", tracking_number="B9", status="lost"))
    answer = call(generated, "shipments_bulk", client, body=rows)
    assert (answer.created, answer.refused, answer.rows[5].errors[0].code) == (5, 1, "unknown_status")

    status = models.ShipmentsListStatusItem.IN_TRANSIT
    page = call(generated, "shipments_list", client, status=[status], page_size=3)
    assert len(page.results) == 3 and page.next_ and page.results[0].tracking_number == "B4"

    changed = call(generated, "shipments_partial_update", client, id=made.id,
                   body=models.PatchedShipmentChangeRequest(notes="fragile"))  # fmt: skip
    assert changed.notes == "fragile"

    seen, since = [], "2000-01-01T00:00:00Z"
    while True:
        page = call(generated, "shipments_list", client, updated_since=since, page_size=4)
        seen += [row.tracking_number for row in page.results]
        since = page.next_since
        if page.next_ is None:
            break
    assert seen == ["B0", "B1", "B2", "B3", "B4", "A1"]  # in the order of the changes
    Shipment.objects.filter(tracking_number="B2").update(customer="Pino")
    page = call(generated, "shipments_list", client, updated_since=since)
    assert [row.customer for row in page.results] == ["Pino"]

    refused = call(generated, "shipments_create", client, body=models.ShipmentCreateRequest(
        carrier="acme", tracking_number="A1"))  # fmt: skip
    assert isinstance(refused, models.ErrorAnswer)
    assert (refused.error.code, refused.error.details[0].field) == ("exists", "tracking_number")
    stranger = generated("client").AuthenticatedClient(
        base_url=live_server.url, token="spt_wrong", httpx_args={"trust_env": False}
    )
    assert call(generated, "shipments_list", stranger).error.code == "authentication_failed"


def call(generated: Any, operation: str, client: Any, **values: Any) -> Any:
    return generated(f"api.shipments.{operation}").sync(client=client, **values)
