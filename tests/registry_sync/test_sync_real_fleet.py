"""Whole fleets come in complete, and a second sync changes nothing: odd ones of ours always, a real one where it is at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from core.webhooks import services
from core.webhooks.models import WebhookEvent
from services_registry.models import Function, FunctionRevision, SyncRun
from services_registry.registry import sync_all
from services_registry.registry.telling import FUNCTION_CHANGED
from tests.shared_data import shared_path

pytestmark = pytest.mark.django_db
ODD: list[dict[str, Any]] = [
    {"function_name": "a" * 64, "runtime": "python3.13", "handler": "a.b", "memory_mb": 128, "timeout_s": 1},
    {"function_name": "no_runtime-is-an-image", "runtime": None, "memory_mb": 10240, "timeout_s": 900},
    {"function_name": "Größe", "runtime": "python3.12"},  # AWS takes no such name
    {"function_name": "", "runtime": "python3.12"},
    {
        "function_name": "words", "runtime": "nodejs22.x", "handler": "index.handler", "memory_mb": 3008, "timeout_s": 30,
        "description": 'Größe "5 €" %s {0} <b>é</b> ' + "z" * 400, "architecture": "arm64", "code_size": 52_428_800,
        "environment_keys": ["Z", "a", "LONG_" * 20],
    },
    {"function_name": "old", "runtime": "python2.7", "handler": "h.h", "memory_mb": 1769, "timeout_s": 3},
    {"function_name": "custom", "runtime": "provided.al2023", "handler": "bootstrap", "memory_mb": 129, "timeout_s": 899},
]  # fmt: skip


@pytest.fixture
def region(settings: Any, request: pytest.FixtureRequest) -> str:
    """A region of the local AWS that no other test uses, so that what is in it is known."""
    if not django_settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    settings.AWS_REGION = request.param
    settings.AWS_MANAGEMENT_RATE = 500  # ours alone: nobody deploys there
    return str(settings.AWS_REGION)


def publish(functions: list[dict[str, Any]], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, set[str]]:
    """How many were published, and the names that were refused."""
    file = folder / "functions.json"
    file.write_text(json.dumps({"functions": functions}), encoding="utf-8")
    call_command("publish_functions", str(file))
    said = capsys.readouterr()
    return int(json.loads(said.out)["published"]), {json.loads(line)["function"] for line in said.err.splitlines()}


def everything() -> list[dict[str, Any]]:
    rows = Function.objects.order_by("pk")
    return [model_to_dict(row) | {"synced": row.synced, "first_seen": row.first_seen} for row in rows]


def check_nothing_changes(count: int, *, full: bool = False) -> None:
    """One more sync: no row of a function, no revision and no webhook event is written."""
    before, revisions = everything(), FunctionRevision.objects.count()
    with CaptureQueriesContext(connection) as caught:
        [run] = sync_all(full=full)
    assert (run.seen, run.created, run.changed, run.gone, run.unchanged) == (count, 0, 0, 0, count)
    assert FunctionRevision.objects.count() == revisions and not WebhookEvent.objects.exists()
    if not full:  # a full sync says of each row when it was read
        assert everything() == before
        written = [q["sql"] for q in caught.captured_queries if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
        assert all('"services_registry_syncrun"' in sql for sql in written), written


def check_complete(functions: list[dict[str, Any]], region: str) -> None:
    """Every row says what its configuration says."""
    rows = {row.name: row for row in Function.objects.filter(region=region, gone=None)}
    assert set(rows) == {entry["function_name"] for entry in functions}
    for entry in functions:
        row = rows[entry["function_name"]]
        assert (row.runtime, row.package_type) == (entry["runtime"] or "", "Zip" if entry["runtime"] else "Image")
        assert (row.memory_mb, row.timeout_s) == (entry["memory_mb"], entry["timeout_s"]), row
        assert row.architecture == (entry.get("architecture") or "x86_64")
        assert row.description == (entry.get("description") or "")[:256]
        assert row.environment_names == sorted(entry.get("environment_keys") or [])
        assert not entry.get("code_size") or row.code_bytes == entry["code_size"]
        assert not entry["runtime"] or row.handler == (entry.get("handler") or "app.handler")
        assert row.revision_id and row.code_sha256 and row.last_modified and row.arn.endswith(f":{row.name}")
    assert "not-taken-over" not in str([row.raw for row in rows.values()])


@pytest.mark.parametrize("region", ["eu-odd-9"], indirect=True)
def test_odd_configurations_come_in_as_they_are_and_a_second_sync_changes_nothing(
    region: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services.create_subscription(name="chat", url="https://tool.example.com/", events=[FUNCTION_CHANGED], actor=None)
    published, refused = publish(ODD, tmp_path, capsys)
    taken = [entry for entry in ODD if entry["function_name"] not in refused]
    assert refused == {"", "Größe"} and published == len(taken) == 5
    [run] = sync_all()
    assert (run.seen, run.created, run.failed) == (5, 5, [])
    check_complete(taken, region)
    check_nothing_changes(5)
    sync_all(full=True)
    check_nothing_changes(5, full=True)
    check_nothing_changes(5)


@pytest.mark.slow
@pytest.mark.parametrize("region", ["eu-real-9"], indirect=True)
def test_725_real_configurations_come_in_complete_and_a_second_sync_changes_nothing(
    region: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = json.loads(shared_path("lambda-functions/fleet_real_config.json").read_text(encoding="utf-8"))[
        "functions"
    ]
    assert len(functions) == 725
    assert publish(functions, tmp_path, capsys) == (725, set())
    [run] = sync_all()
    assert (run.seen, run.created, run.failed, run.problem) == (725, 725, [], "")
    check_complete(functions, region)
    check_nothing_changes(725)
    assert SyncRun.objects.filter(failed_count__gt=0).count() == 0
