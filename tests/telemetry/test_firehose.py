"""Amazon Data Firehose delivers to our endpoint: at least once, packed twice, with a key."""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from services_registry.models import DoorHour, FirehoseKey, Function, FunctionHour, InvocationReport, RejectedLine
from services_registry.telemetry.doors import firehose
from tests.telemetry.conftest import report_line, request_id

URL = "/functions/telemetry/firehose/"
REQUEST_ID = "ed4acda5-034f-9f42-bba1-f29aea6d7d8f"


@pytest.fixture
def key(db: None) -> str:
    row = FirehoseKey(name="lambda logs")
    made = row.new_key()
    row.save()
    return made


def envelope(group: str, *messages: str, kind: str = "DATA_MESSAGE", stream: str = "2026/11/24/[$LATEST]ab") -> bytes:
    now = int(time.time() * 1000)
    return json.dumps({
        "messageType": kind, "owner": "123456789012", "logGroup": group, "logStream": stream,
        "subscriptionFilters": ["all"],
        "logEvents": [{"id": str(n), "timestamp": now - 90_000, "message": text} for n, text in enumerate(messages)],
    }).encode()  # fmt: skip


def record(data: bytes, *, packed: bool = True) -> dict[str, str]:
    return {"data": base64.b64encode(gzip.compress(data) if packed else data).decode()}


def deliver(key: str, *records: Any, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    sent = body if body is not None else json.dumps({
        "requestId": REQUEST_ID, "timestamp": 1578090901599, "records": list(records)
    }).encode()  # fmt: skip
    given = {"X-Amz-Firehose-Access-Key": key, "X-Amz-Firehose-Request-Id": REQUEST_ID} | headers
    answer = Client(enforce_csrf_checks=True).post(URL, sent, content_type="application/json", headers=given)
    assert answer["Content-Type"] == "application/json"
    return answer.status_code, answer.json()


def test_a_delivery_is_stored_once_however_often_it_comes(key: str, make_function: Callable[[str], Function]) -> None:
    own = make_function("own")
    own.log_group = "/company/own"
    own.save()
    lines = [report_line(request_id(n)) for n in range(3)]
    records = [
        record(envelope("/company/own", *lines, "application text")),
        record(envelope("x", kind="CONTROL_MESSAGE")),
    ]
    for _ in range(3):
        status, answer = deliver(key, *records)
        assert (status, answer["requestId"]) == (200, REQUEST_ID)
        assert abs(answer["timestamp"] / 1000 - time.time()) < 60
    assert set(InvocationReport.objects.values_list("function__name", "door")) == {("own", "firehose")}
    assert sum(FunctionHour.objects.values_list("invocations", flat=True)) == 3
    door = DoorHour.objects.get()
    assert (door.door, door.new, door.known, door.rejected, door.timed) == ("firehose", 3, 6, 0, 3)
    assert 89 < door.most_lag_s < 150
    assert FirehoseKey.objects.get().last_used is not None


def test_a_shared_log_group_is_told_apart_by_stream_or_by_the_arn_of_the_start(
    key: str, make_function: Callable[[str], Function]
) -> None:
    for name in ("first", "second"):
        function = make_function(name)
        function.log_group = "/company/shared"
        function.save()
    start = {"requestId": request_id(2), "functionArn": Function.objects.get(name="second").arn + ":7", "version": "7"}
    metrics = {"durationMs": 5.5, "billedDurationMs": 6, "memorySizeMB": 512, "maxMemoryUsedMB": 60}
    said = [
        json.dumps({"time": "2026-11-24T00:00:00.000Z", "type": f"platform.{kind}", "record": facts})
        for kind, facts in (
            ("start", start), ("report", {"requestId": request_id(2), "metrics": metrics, "status": "success"}),
        )
    ]  # fmt: skip
    deliver(
        key,
        record(envelope("/company/shared", report_line(request_id(1)), stream="2026/11/24/first[$LATEST]0ab")),
        record(envelope("/company/shared", *said)),
    )
    found = dict(InvocationReport.objects.values_list("request_id", "function__name"))
    assert found == {request_id(1): "first", request_id(2): "second"}


@pytest.mark.parametrize("wrong", ["", "spf_guess", "revoked"])
def test_without_a_valid_key_nothing_is_read(wrong: str, key: str) -> None:
    if wrong == "revoked":
        FirehoseKey.objects.update(revoked="2026-11-01T00:00Z")
        wrong = key
    status, answer = deliver(wrong, record(envelope("g", report_line(request_id(1)))))
    assert status == 401
    assert answer["requestId"] == REQUEST_ID and "key" in answer["errorMessage"]
    assert not InvocationReport.objects.exists()


def test_what_can_never_be_read_is_refused_with_its_reason_and_not_sent_again(
    key: str, make_function: Callable[[str], Function]
) -> None:
    make_function("own")
    good = envelope("/aws/lambda/own", report_line(request_id(1)))
    cut = {"data": base64.b64encode(gzip.compress(good)[:-9]).decode()}
    status, _answer = deliver(key, cut, {"data": "%%%"}, {"data": ""}, {}, record(good))
    assert status == 200
    assert InvocationReport.objects.count() == 1
    reasons = sorted(RejectedLine.objects.values_list("reason", flat=True))
    assert [reason[:15] for reason in reasons] == ["Firehose record"] * 4
    assert set(RejectedLine.objects.values_list("source", flat=True)) == {f"lambda logs {REQUEST_ID}"}


@pytest.mark.slow
def test_bodies_that_are_none_or_too_large_are_refused(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (b"no json", b"[]", b'{"requestId": 5, "records": []}', b'{"requestId": "a"}'):
        assert deliver(key, body=body)[0] == 400
    assert deliver(key, body=b"no gzip", **{"Content-Encoding": "gzip"})[0] == 400
    bomb = gzip.compress(b" " * (firehose.MOST_BYTES * 2 + 10))
    assert deliver(key, body=bomb, **{"Content-Encoding": "gzip"})[0] == 413
    monkeypatch.setattr(firehose, "MOST_RECORDS", 1)
    assert deliver(key, {}, {})[0] == 413
    assert Client().get(URL).status_code == 405


def test_a_packed_body_and_plain_records_are_read(key: str, make_function: Callable[[str], Function]) -> None:
    make_function("own")
    body = json.dumps({"requestId": REQUEST_ID, "records": [
        record(envelope("/aws/lambda/own", report_line(request_id(1))), packed=False),
        record((report_line(request_id(2)) + "\n").encode(), packed=False),
    ]}).encode()  # fmt: skip
    assert deliver(key, body=gzip.compress(body), **{"Content-Encoding": "gzip"})[0] == 200
    found = dict(InvocationReport.objects.values_list("request_id", "function__name"))
    assert found == {request_id(1): "own", request_id(2): "unattributed-logs"}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_is_answered_so_that_it_comes_again(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE services_registry_fleetday ADD CONSTRAINT breaks CHECK (invocations < 0) NOT VALID")
    try:
        status, answer = deliver(key, record(envelope("g", report_line(request_id(1)))))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE services_registry_fleetday DROP CONSTRAINT breaks")
    assert (status, InvocationReport.objects.count()) == (503, 0)
    assert answer["errorMessage"]
    assert deliver(key, record(envelope("g", report_line(request_id(1)))))[0] == 200
    assert InvocationReport.objects.count() == 1


def test_keys_are_made_shown_once_and_revoked_in_the_admin(
    admin_user: User, client_as: Callable[[User], Client]
) -> None:
    client = client_as(admin_user)
    page = client.post(reverse("admin:services_registry_firehosekey_add"), {"name": "eu logs"}, follow=True)
    shown = page.content.decode().split("only this once: ")[1].split("<")[0].strip()
    assert deliver(shown, record(envelope("g", "text")))[0] == 200
    row = FirehoseKey.objects.get()
    assert (
        shown not in client.get(reverse("admin:services_registry_firehosekey_change", args=[row.pk])).content.decode()
    )
    act = {"action": "revoke", "_selected_action": [row.pk]}
    client.post(reverse("admin:services_registry_firehosekey_changelist"), act)
    assert deliver(shown, record(envelope("g", "text")))[0] == 401
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["firehose_key.issued", "firehose_key.revoked"]
