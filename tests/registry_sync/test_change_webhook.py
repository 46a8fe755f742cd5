"""Whoever subscribed to `function.changed` is told of each revision once, in the transaction that writes it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from core.aws.clients import management_client
from core.webhooks import services
from core.webhooks.models import WebhookEvent
from services_registry.models import Function, FunctionRevision
from services_registry.registry import sync_all
from services_registry.registry.telling import FUNCTION_CHANGED
from tests.registry_sync.test_sync_functions import SECRET, delete, published

__all__ = ["published"]
pytestmark = pytest.mark.django_db


def told() -> list[Any]:
    """What was told since the last time, in its sequence."""
    found = list(WebhookEvent.objects.filter(type=FUNCTION_CHANGED).order_by("id").values_list("data", flat=True))
    WebhookEvent.objects.all().delete()
    return found


def test_a_change_and_a_vanished_function_are_told_once_and_a_first_sight_is_not(published: str) -> None:
    services.create_subscription(name="chat", url="https://tool.example.com/", events=[FUNCTION_CHANGED], actor=None)
    sync_all()
    assert told() == []
    Function.objects.filter(name=published).update(owner="routing", runbook="https://wiki.example.com/synced")
    management_client("lambda", settings.AWS_REGION).update_function_configuration(
        FunctionName=published, MemorySize=512
    )
    sync_all()
    sync_all()
    [event] = told()
    row = Function.objects.get(name=published)
    revision = FunctionRevision.objects.filter(function=row).latest("pk")
    assert event["function"] == {
        "id": row.pk, "name": published, "arn": row.arn, "account": row.account, "region": row.region, "owner": "routing",
        "capability": "", "runbook": "https://wiki.example.com/synced", "sample": False,
    }  # fmt: skip
    assert (event["revision"]["id"], event["revision"]["changes"]) == (revision.pk, {"memory_mb": [256, 512]})
    assert SECRET not in str(event)
    delete(published)
    sync_all()
    [event] = told()
    assert event["revision"]["changes"]["gone"][0] is None and event["function"]["name"] == published


def test_nobody_is_told_who_did_not_subscribe(published: str) -> None:
    sync_all()
    management_client("lambda", settings.AWS_REGION).update_function_configuration(FunctionName=published, Timeout=9)
    sync_all()
    assert FunctionRevision.objects.filter(changes__has_key="timeout_s").exists() and told() == []
