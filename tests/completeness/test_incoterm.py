"""Deliveries carry an Incoterm from import to list and API."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User

from shipments.deliveries.importer import Refused, import_shipments
from shipments.models import Shipment

pytestmark = pytest.mark.django_db


def test_an_incoterm_is_imported_kept_refused_when_it_is_none_and_shown(
    client_as: Any, api_client: Any, viewer: User, operator: User
) -> None:
    refused: list[Refused] = []
    rows = b"carrier,tracking_number,Incoterms\nacme,A1,dap Lyon\nacme,A2,\nacme,A3,DAPPER\nacme,A4,XXX\n"
    import_shipments(io.BytesIO(rows), on_refused=refused.append)
    assert dict(Shipment.objects.values_list("tracking_number", "incoterm")) == {"A1": "DAP", "A2": ""}
    assert [row.as_json()["field"] for row in refused] == ["incoterm", "incoterm"]
    again = import_shipments(io.BytesIO(b"carrier,tracking_number,customer\nacme,A1,Olmo\n"))
    assert (again.counts()["updated"], Shipment.objects.get(tracking_number="A1").incoterm) == (1, "DAP")
    answer = api_client(viewer).get("/api/v1/shipments/?fields=incoterm&q=A1x").status_code
    assert answer == 200
    found = api_client(viewer).get("/api/v1/shipments/?sort=tracking_number&carrier=acme&fields=incoterm").json()
    assert [row["incoterm"] for row in found["results"]] == ["DAP", ""]
    shipment = Shipment.objects.get(tracking_number="A2")
    address = f"/api/v1/shipments/{shipment.pk}/"
    assert api_client(operator).patch(address, {"incoterm": "ddp"}, format="json").json()["incoterm"] == "DDP"
    assert api_client(operator).patch(address, {"incoterm": "XX"}, format="json").status_code == 400
    assert b">DAP<" in client_as(viewer).get("/deliveries/?columns=incoterm").content
