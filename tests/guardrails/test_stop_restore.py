"""Stopping and restoring on the local AWS: nothing begins, the former state comes back, what others changed stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.audit import target_of
from core.aws.clients import boto_client, management_client
from core.aws.invoke import invoke
from core.models import AuditEntry, Notification
from core.webhooks.models import WebhookEvent, WebhookSubscription
from services_registry.guardrails.restore import preview_restore, restore_function
from services_registry.guardrails.running import running_now
from services_registry.guardrails.stop import StopError, preview_stop, stop_function
from services_registry.models import Function, InvocationReport, StopRecord
from services_registry.registry import sync_all

pytestmark = pytest.mark.django_db
ClientAs = Callable[[User], Client]


@pytest.fixture
def function(sleeper: str) -> Function:
    sync_all(full=True)
    return Function.objects.get(name=sleeper)


def state(aws: Any, function: Function) -> tuple[int | None, list[str]]:
    """Reserved concurrency and the states of the mappings, as AWS says."""
    reserved = aws.get_function(FunctionName=function.name).get("Concurrency", {}).get("ReservedConcurrentExecutions")
    mappings = aws.list_event_source_mappings(FunctionName=function.name)["EventSourceMappings"]
    return reserved, [mapping["State"] for mapping in mappings]


def stop(function: Function, actor: User) -> StopRecord:
    return stop_function(function, reason="it runs away", actor=actor)


def restore(function: Function, actor: User) -> StopRecord:
    return restore_function(function, reason="it is mended", actor=actor)


def test_the_preview_says_what_will_happen_and_changes_nothing(function: Function, aws: Any) -> None:
    before = state(aws, function)
    preview = preview_stop(function)
    assert (preview.live.reserved, preview.sets_reserved, len(preview.to_switch_off)) == (None, True, 1)
    codes = {one.code: one for one in preview.consequences}
    assert codes["async_lost"].lost and "2 tries more, up to 6 hours" in codes["async_lost"].text
    assert "stay in the queue" in codes["source_sqs"].text and "429" in codes["sync_refused"].text
    assert preview.running.quiet_at > timezone.now() and preview.running.ended == 0
    assert state(aws, function) == before == (None, ["Enabled"])
    queue = preview.live.mappings[0]["source"]
    aws.put_function_event_invoke_config(
        FunctionName=function.name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    kept = next(one for one in preview_stop(function).consequences if one.code == "async_kept")
    assert queue in kept.text and "their 1 repetitions" in kept.text and not kept.lost


def test_calls_that_run_are_seen_before_they_end(function: Function, prices: None) -> None:
    """By CloudWatch's count, which is there while they run, and by those that ended; the larger one is told."""
    now = timezone.now()
    Function.objects.filter(pk=function.pk).update(memory_mb=1024)
    function.refresh_from_db()
    point = {"MetricName": "ConcurrentExecutions", "Timestamp": now - timedelta(seconds=100), "Value": 1000.0}
    management_client("cloudwatch", settings.AWS_REGION).put_metric_data(
        Namespace="AWS/Lambda", MetricData=[point | {"Dimensions": [{"Name": "FunctionName", "Value": function.name}]}]
    )
    first = running_now(function, 900, now)
    assert (first.counted, first.estimated, first.at_once) == (1000, None, 1000)
    assert first.cost_usd == 900_000 * Decimal("0.0000166667") and first.quiet_at == now + timedelta(seconds=900)
    InvocationReport.objects.bulk_create([
        InvocationReport(
            function=function, request_id=str(n), digest="d", at=now - timedelta(seconds=60), duration_ms=900_000.0,
            billed_ms=900_000, memory_mb=1024, door="file",
        )
        for n in range(1200)
    ])  # fmt: skip
    later = running_now(function, 900, now)
    assert (later.counted, later.estimated, later.ended, later.at_once) == (1000, 1200, 1200, 1200)


def test_stop_and_restore_come_back_to_none_reserved(
    function: Function, aws: Any, ops_lead: User, admin_user: User
) -> None:
    hook = WebhookSubscription.objects.create(
        name="t", url="https://example.org/h", events=["function.stopped", "function.restored"]
    )
    row = stop(function, ops_lead)
    assert (row.state, row.problems, row.former_reserved, row.reserved_changed) == ("stopped", [], None, True)
    assert state(aws, function) == (0, ["Disabled"])
    answer = invoke(function.name, b"{}", timeout_s=5, region=function.region)
    assert answer.outcome == "throttled"
    function.refresh_from_db()
    assert function.reserved_concurrency == 0 and function.event_sources[0]["state"] == "Disabled"
    assert stop(function, admin_user).pk == row.pk, "a second stop changes nothing"
    assert preview_stop(function).nothing_to_do
    sync_all()
    revisions = function.revisions.order_by("-pk")
    assert (
        revisions.count() == 2
        and revisions[0].by == "lead"
        and set(revisions[0].changes) == {"reserved_concurrency", "event_sources"}
    )
    steps = preview_restore(function).changes
    assert [(step.now, step.will_be) for step in steps] == [("0", "none reserved"), ("Disabled", "Enabled")]
    done = restore(function, ops_lead)
    assert (done.pk, done.state, state(aws, function)) == (row.pk, "restored", (None, ["Enabled"]))
    assert restore(function, ops_lead).pk == row.pk, "a second restore changes nothing"
    assert invoke(function.name, b"{}", timeout_s=5, region=function.region).outcome == "succeeded"
    entries: dict[str, Any] = {e.verb: e for e in AuditEntry.objects.filter(target=target_of(function))}
    assert entries["function.stopped"].before["reserved_concurrency"] is None
    assert entries["function.stopped"].after["reserved_concurrency"] == 0
    assert entries["function.restored"].after["reserved_concurrency"] is None
    assert (entries["function.stopped"].reason, entries["function.stopped"].actor_name) == ("it runs away", "lead")
    events = list(WebhookEvent.objects.filter(subscription=hook).order_by("pk").values_list("type", flat=True))
    assert events == ["function.stopped", "function.restored"]
    assert Notification.objects.filter(user=admin_user, kind="stop").count() == 2


def test_restores_only_what_we_changed(function: Function, aws: Any, ops_lead: User) -> None:
    aws.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=3)
    sqs = management_client("sqs", settings.AWS_REGION)
    url = sqs.create_queue(QueueName=f"{function.name}-old")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    off = aws.create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn, Enabled=False)
    row = stop(function, ops_lead)
    assert row.former_reserved == 3
    assert {mapping["uuid"]: mapping["changed"] for mapping in row.mappings}[off["UUID"]] is False
    aws.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=5)
    aws.update_function_configuration(FunctionName=function.name, Timeout=2)
    preview = preview_restore(function)
    notes = [str(step.note) for step in preview.steps if not step.changes]
    assert any("set elsewhere since the stop (it was 3 before)" in note for note in notes)
    assert any("not switched off by us" in note for note in notes)
    assert [(change.field, change.before, change.after) for change in preview.elsewhere] == [("timeout", "1 s", "2 s")]
    restore(function, ops_lead)
    reserved, states = state(aws, function)
    assert (reserved, sorted(states)) == (5, ["Disabled", "Enabled"])
    aws.delete_event_source_mapping(UUID=off["UUID"])


def test_a_stop_that_broke_off_is_shown_and_continued(
    function: Function, aws: Any, ops_lead: User, client_as: ClientAs
) -> None:
    """One mapping cannot be switched off, as if it were deleted between two calls; the other steps are done."""
    row = stop(function, ops_lead)
    StopRecord.objects.filter(pk=row.pk).update(
        state="stopping", reserved_changed=False, stopped=None, problems=["AWS did not answer"]
    )
    aws.update_event_source_mapping(UUID=row.mappings[0]["uuid"], Enabled=True)
    client = client_as(ops_lead)
    page = client.get(f"/functions/{function.pk}/stop/").content.decode()
    assert "not every step was done" in page and "AWS did not answer" in page and "Go on stopping it" in page
    again = stop(function, ops_lead)
    assert (again.pk, again.state, again.problems) == (row.pk, "stopped", [])
    assert again.reserved_changed, "0 now and none before: it was us"
    assert state(aws, function) == (0, ["Disabled"])
    restore(function, ops_lead)
    assert state(aws, function) == (None, ["Enabled"])


@contextmanager
def refused(operation: str) -> Iterator[None]:
    """AWS answers one operation as it does while another change of the same thing is under way; the local one never does."""
    shared = boto_client("lambda", settings.AWS_REGION, paced=True)
    answer = b'{"Type": "User", "Message": "The resource is in use by another change."}'
    headers: Any = {"x-amzn-ErrorType": "ResourceInUseException", "Content-Type": "application/json"}

    def answered(request: Any, **_event: Any) -> Any:
        return AWSResponse(request.url, 400, headers, type("Raw", (), {"stream": lambda self, **_: [answer]})())

    event = f"before-send.lambda.{operation}"
    shared.meta.events.register(event, answered)
    try:
        yield
    finally:
        shared.meta.events.unregister(event, answered)


def test_a_step_that_aws_refuses_hinders_no_other_and_is_done_later(
    function: Function, aws: Any, ops_lead: User, client_as: ClientAs
) -> None:
    with refused("UpdateEventSourceMapping"):
        row = stop(function, ops_lead)
    assert (row.state, row.reserved_changed, len(row.problems)) == ("stopping", True, 1)
    assert "in use by another change" in row.problems[0]
    assert state(aws, function) == (0, ["Enabled"])
    with pytest.raises(StopError, match="not complete"):
        StopRecord.objects.filter(pk=row.pk).update(state="restoring")
        stop(function, ops_lead)
    StopRecord.objects.filter(pk=row.pk).update(state="stopping")
    assert stop(function, ops_lead).state == "stopped" and state(aws, function) == (0, ["Disabled"])
    with refused("DeleteFunctionConcurrency"):
        half = restore(function, ops_lead)
    assert (half.state, state(aws, function)) == ("restoring", (0, ["Enabled"]))
    page = client_as(ops_lead).get(f"/functions/{function.pk}/restore/").content.decode()
    assert "in use by another change" in page and "is on already" in page
    assert restore(function, ops_lead).state == "restored" and state(aws, function) == (None, ["Enabled"])
    verbs = AuditEntry.objects.filter(target=target_of(function)).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == [
        "function.stopping", "function.stopped_in_part", "function.stopped", "function.restoring",
        "function.restored_in_part", "function.restoring", "function.restored",
    ]  # fmt: skip


def test_what_cannot_be_stopped_says_why(function: Function, aws: Any, ops_lead: User) -> None:
    with pytest.raises(StopError, match="Say why"):
        stop_function(function, reason="  ", actor=ops_lead)
    with pytest.raises(StopError, match="not stopped from here"):
        restore(function, ops_lead)
    aws.delete_function(FunctionName=function.name)
    with pytest.raises(StopError, match="Nothing was changed"):
        stop(function, ops_lead)
    assert not StopRecord.objects.exists()


def test_only_the_ops_lead_stops_by_page_and_types_the_name_where_calls_are_lost(
    function: Function, aws: Any, ops_lead: User, operator: User, client_as: ClientAs
) -> None:
    address = f"/functions/{function.pk}/stop/"
    refused = client_as(operator).post(address, {"reason": "x", "name": function.name})
    assert refused.status_code == 403 and "ops lead" in refused.content.decode()
    client = client_as(ops_lead)
    text = client.get(address).content.decode()
    assert "What will be changed" in text and "Quiet by" in text and "are lost" in text
    assert client.post(address, {"reason": "", "name": function.name}).status_code == 400
    assert client.post(address, {"reason": "x", "name": "other"}).status_code == 400
    assert state(aws, function)[0] is None
    assert client.post(address, {"reason": "runs away", "name": function.name}).status_code == 302
    assert state(aws, function) == (0, ["Disabled"])
    panel = client.get(f"/functions/{function.pk}/guardrails/").content.decode()
    assert "runs away" in panel and "Restore" in panel
    assert client.get(address).headers["Location"].endswith("/restore/")
    text = client.get(f"/functions/{function.pk}/restore/").content.decode()
    assert "none reserved" in text and "probably still in it" in text
    assert client.post(f"/functions/{function.pk}/restore/", {"reason": "mended"}).status_code == 302
    assert state(aws, function) == (None, ["Enabled"])
