"""Deliveries in bulk over the API: an outcome for every row, in order, whatever the others hold."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from shipments.models import Shipment

pytestmark = pytest.mark.django_db
URL = "/api/v1/shipments/bulk/"


@pytest.fixture
def client(api_client: Any, operator: User) -> Any:
    return api_client(operator)


def post(client: Any, rows: Any, url: str = URL, **more: Any) -> Any:
    body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return client.post(url, body, content_type="application/json", **more)


def said(answer: Any) -> list[str]:
    return [row["outcome"] for row in answer.json()["rows"]]


def test_every_row_has_its_outcome_in_order(client: Any) -> None:
    post(client, [{"carrier": "acme", "tracking_number": "A1"}, {"carrier": "acme", "tracking_number": "A2"}])
    answer = post(client, [
        {"carrier": "acme", "tracking_number": "A2", "customer": "Olmo"},
        {"carrier": "acme", "tracking_number": "A3", "weight_kg": "heavy", "status": "flying"},
        {"carrier": "acme", "tracking_number": "A1"},
        "nonsense",
        {"carrier": "acme", "tracking_number": "A4", "recipient": {"city": "Lyon"}},
    ])  # fmt: skip
    assert answer.status_code == 200
    assert said(answer) == ["updated", "refused", "unchanged", "refused", "created"]
    rows = answer.json()["rows"]
    assert [row["index"] for row in rows] == [0, 1, 2, 3, 4]
    assert [(error["field"], error["code"]) for error in rows[1]["errors"]] == [
        ("status", "unknown_status"), ("weight_kg", "bad_weight")
    ]  # fmt: skip
    assert rows[3]["errors"][0]["code"] == "not_object"
    ids = dict(Shipment.objects.values_list("tracking_number", "pk"))
    assert [row["id"] for row in rows] == [ids["A2"], None, ids["A1"], None, ids["A4"]]


def test_the_same_request_again_changes_nothing(client: Any) -> None:
    rows = [{"carrier": "acme", "tracking_number": f"A{number}", "notes": "x"} for number in range(50)]
    post(client, rows)
    before = dict(Shipment.objects.values_list("pk", "updated"))
    assert set(said(post(client, rows))) == {"unchanged"}
    assert dict(Shipment.objects.values_list("pk", "updated")) == before


def test_a_delivery_named_twice_is_merged_and_both_rows_say_so(client: Any) -> None:
    row = {"carrier": "acme", "tracking_number": "A1"}
    answer = post(client, [row | {"customer": "x"}, row | {"customer": "y"}, row])
    assert said(answer) == ["created", "updated", "unchanged"]
    assert len({entry["id"] for entry in answer.json()["rows"]}) == 1
    assert Shipment.objects.get().customer == "y"


@pytest.mark.parametrize("url", [URL, URL.rstrip("/")])
def test_ndjson_packed_with_gzip_and_without_the_last_slash(client: Any, url: str) -> None:
    lines = '{"carrier": "acme", "tracking_number": "A1", "notes": "a\u2028b"}\n\n{oops\n{"carrier": "acme"}\n'
    answer = post(client, gzip.compress(lines.encode()), url, HTTP_CONTENT_ENCODING="gzip")
    assert said(answer) == ["created", "refused", "refused"]
    assert [row["errors"][0]["code"] for row in answer.json()["rows"][1:]] == ["not_json", "missing"]


def test_a_field_that_does_not_exist_is_named(client: Any) -> None:
    row = {"carrier": "acme", "tracking_number": "A1", "colour": "red", "recipient": {"city": "Lyon", "fax": "1"}}
    errors = post(client, [row]).json()["rows"][0]["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [
        ("colour", "unknown_field"), ("recipient.fax", "unknown_field")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (b"[{]", "", 400, "not_json"),
        (b"\xff\xfe[]", "", 400, "not_utf8"),
        (b"not gzip", "gzip", 400, "bad_gzip"),
        (gzip.compress(b'[{"carrier": "acme"}]', mtime=0)[:-9], "gzip", 400, "bad_gzip"),
        (b"[]", "br", 400, "unknown_encoding"),
        (gzip.compress(b" " * 70_000_000, 1, mtime=0), "gzip", 413, "too_large"),
        (json.dumps([{}] * 10_001).encode(), "", 413, "too_many_rows"),
    ],
    ids=["no json", "no utf-8", "no gzip", "cut gzip", "other packing", "large when unpacked", "many rows"],
)
def test_a_body_that_cannot_be_used_has_a_stable_code(
    client: Any, body: bytes, encoding: str, status: int, code: str
) -> None:
    answer = post(client, body, HTTP_CONTENT_ENCODING=encoding)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_an_empty_body_is_no_rows(client: Any) -> None:
    assert post(client, b"").json()["rows"] == []


def test_a_viewer_may_not(api_client: Any, viewer: User) -> None:
    assert post(api_client(viewer), []).status_code == 403


@pytest.mark.slow
def test_ten_thousand_rows_at_once(client: Any) -> None:
    rows = [{"carrier": "acme", "tracking_number": f"A{number}", "customer": "x"} for number in range(10_000)]
    assert post(client, rows).json()["created"] == 10_000
    assert post(client, rows).json()["unchanged"] == 10_000
