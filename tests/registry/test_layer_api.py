"""Layers, upgrades and sizes over REST, and stating a size by API and admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from core.models import AuditEntry
from services_registry.models import Function, PackageSize
from tests.registry.test_layers import MB, make_layer, using

__all__ = ["make_layer"]
ApiClient = Callable[[User], APIClient]
pytestmark = pytest.mark.django_db


def test_layers_and_upgrades_say_the_same_as_the_page(
    make_function: Callable[..., Function], make_layer: Any, api_client: ApiClient, viewer: User
) -> None:
    old, new = make_layer("deps", {1: 10, 2: 60})
    make_layer("idle", {4: 1})
    function = make_function("tight", owner="documents", code_bytes=40 * MB, layers=using(old))
    api = api_client(viewer)
    [row] = api.get("/api/v1/layers/?state=behind").json()["results"]
    assert (row["name"], row["newest_version"], row["newest_bytes"], row["newest_basis"], row["behind"]) == (
        "deps", 2, 180 * MB, "estimated", 1,
    )  # fmt: skip
    assert row["uses"][0] == {
        "function": function.pk, "function_name": "tight", "owner": "documents", "runtime": "python3.12", "version": 1,
        "behind": 1, "misfit": "",
    }  # fmt: skip
    assert len(api.get("/api/v1/layers/").json()["results"]) == 2
    assert api.get("/api/v1/layers/?state=odd").status_code == 400
    planned = api.get(f"/api/v1/layers/{new.layer_id}/upgrade/").json()
    assert (planned["to"], planned["refused"], planned["doubtful"]) == (2, 0, 1)
    [touched] = planned["touched"]
    assert (touched["before_bytes"], touched["after_bytes"], touched["room"], touched["new_finding"]) == (
        150 * MB, 300 * MB, "over", True,
    )  # fmt: skip
    assert api.get(f"/api/v1/layers/{new.layer_id}/upgrade/?to=9").status_code == 400
    [size] = api.get("/api/v1/function-sizes/?room=fine").json()
    assert (size["function_name"], size["total_bytes"], size["basis"]) == ("tight", 150 * MB, "estimated")


def test_administrators_state_a_size_by_api_and_everybody_sees_it(
    make_function: Callable[..., Function], api_client: ApiClient, operator: User, admin_user: User
) -> None:
    make_function("render", code_bytes=10 * MB, code_sha256="abc")
    said = {"content": "abc", "unzipped_bytes": 77 * MB, "note": "counted by hand"}
    assert api_client(operator).post("/api/v1/package-sizes/", said, format="json").status_code == 403
    api = api_client(admin_user)
    for _twice in range(2):
        assert api.post("/api/v1/package-sizes/", said, format="json").status_code == 200
    assert api.post("/api/v1/package-sizes/", said | {"size": 1}, format="json").status_code == 400
    [entry] = AuditEntry.objects.filter(verb="package_size.stated")
    assert (entry.summary, entry.actor, entry.before) == ("abc", admin_user, None)
    [size] = api.get("/api/v1/function-sizes/").json()
    assert (size["total_bytes"], size["basis"]) == (77 * MB, "stated")
    row = PackageSize.objects.get()
    assert api.delete(f"/api/v1/package-sizes/{row.pk}/").status_code == 204
    assert api.get("/api/v1/function-sizes/").json()[0]["basis"] == "estimated"


def test_the_admin_corrects_a_measured_size_with_an_audit_entry(
    client_as: Callable[[User], Client], admin_user: User
) -> None:
    row = PackageSize.objects.create(content="abc", unzipped_bytes=5, source="measured")
    client = client_as(admin_user)
    address = f"/admin/services_registry/packagesize/{row.pk}/change/"
    assert client.post(address, {"unzipped_bytes": "9", "note": "looked"}).status_code == 302
    row.refresh_from_db()
    assert (row.unzipped_bytes, row.source, row.note) == (9, "stated", "looked")
    [entry] = AuditEntry.objects.filter(verb="package_size.stated")
    assert [(entry.before or {})["source"], (entry.after or {})["unzipped_bytes"]] == ["measured", 9]
    assert (
        client.post("/admin/services_registry/packagesize/add/", {"content": "x", "unzipped_bytes": "8"}).status_code
        == 302
    )
    assert PackageSize.objects.get(content="x").source == "stated"
    for page in ("layer", "packagesize"):
        assert client.get(f"/admin/services_registry/{page}/").status_code == 200
