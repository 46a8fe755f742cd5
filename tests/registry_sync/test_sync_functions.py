"""`manage.py sync_functions` against the local AWS: what AWS lists comes in once, and what vanishes is kept."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.forms.models import model_to_dict

from core.aws import functions as aws
from core.aws.clients import management_client
from services_registry.models import Function, FunctionRevision

pytestmark = pytest.mark.django_db
SECRET = "never-to-be-stored-4711"


def sync() -> dict[str, Any]:
    said = io.StringIO()
    call_command("sync_functions", stdout=said)
    counts: dict[str, Any] = json.loads(said.getvalue())
    return counts


def empty_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return {}\n")
    return packed.getvalue()


@pytest.fixture
def published() -> Iterator[str]:
    """Name of a function that is in the local AWS while the test runs, unless the test deletes it."""
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    name = f"synced-{uuid.uuid4().hex[:8]}"
    aws.create_function(
        region=settings.AWS_REGION, code_zip=empty_zip(), FunctionName=name, Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/any", Handler="app.handler", Timeout=7, MemorySize=256,
        Environment={"Variables": {"PASSWORD": SECRET, "API_URL": SECRET}}, Tags={"owner": "routing"},
    )  # fmt: skip
    yield name
    present = {configuration["FunctionName"] for configuration in aws.list_functions(region=settings.AWS_REGION)}
    if name in present:
        delete(name)


def delete(name: str) -> None:
    management_client("lambda", settings.AWS_REGION).delete_function(FunctionName=name)


def everything() -> list[dict[str, Any]]:
    rows = Function.objects.order_by("pk")
    return [{**model_to_dict(row), "synced": row.synced, "seen": row.first_seen} for row in rows]


def test_a_second_sync_changes_nothing(published: str) -> None:
    first = sync()
    assert first["created"] == first["seen"] > 0 and not first["failed"]
    row = Function.objects.get(name=published)
    assert (row.memory_mb, row.timeout_s, row.runtime, row.owner) == (256, 7, "python3.12", "routing")
    before, revisions = everything(), FunctionRevision.objects.count()
    second = sync()
    assert second == {**first, "created": 0, "unchanged": first["seen"]}
    assert everything() == before
    assert FunctionRevision.objects.count() == revisions


def test_values_of_environment_variables_are_never_stored(published: str) -> None:
    sync()
    row = Function.objects.get(name=published)
    assert row.environment_names == ["API_URL", "PASSWORD"]
    assert SECRET not in str(everything())
    assert SECRET not in str(list(FunctionRevision.objects.values()))


def test_a_change_is_taken_over_with_what_was_before_and_hand_kept_fields_stay(published: str) -> None:
    sync()
    Function.objects.filter(name=published).update(owner="by hand", notes="call Ana first")
    management_client("lambda", settings.AWS_REGION).update_function_configuration(
        FunctionName=published, MemorySize=512
    )
    assert sync()["changed"] == 1
    row = Function.objects.get(name=published)
    assert (row.memory_mb, row.owner, row.notes) == (512, "by hand", "call Ana first")
    latest = row.revisions.order_by("-pk")[0]
    assert latest.changes == {"memory_mb": [256, 512]}


def test_a_vanished_function_is_kept_as_gone_and_comes_back_as_itself(published: str) -> None:
    sync()
    known = Function.objects.get(name=published)
    delete(published)
    assert sync()["gone"] == 1
    known.refresh_from_db()
    assert known.gone is not None
    assert sync()["gone"] == 0  # once only
    assert known.revisions.filter(changes__has_key="gone").count() == 1
    aws.create_function(
        region=settings.AWS_REGION, code_zip=empty_zip(), FunctionName=published, Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/any", Handler="app.handler",
    )  # fmt: skip
    assert sync()["changed"] == 1
    known.refresh_from_db()
    assert known.gone is None


def test_a_listing_that_fails_marks_nothing_as_gone(published: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sync()
    with monkeypatch.context() as away, pytest.raises(CommandError, match="Nothing was changed"):
        away.setattr(settings, "AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the discard port: nobody listens
        sync()
    assert not Function.objects.exclude(gone=None).exists()
