"""What the listing does not tell, several accounts, and what came of each look."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from core.aws.clients import management_client
from core.aws.functions import list_functions
from services_registry.models import AwsAccount, Function, FunctionRevision, SyncRun
from services_registry.registry import access_to, sync_all
from tests.registry_sync.test_sync_functions import delete, published

__all__ = ["published"]
pytestmark = pytest.mark.django_db
ROLE = "arn:aws:iam::210987654321:role/dashboard-reader"


@pytest.fixture
def aws() -> Any:
    return management_client("lambda", settings.AWS_REGION)


@pytest.fixture
def queue() -> str:
    sqs = management_client("sqs", settings.AWS_REGION)
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


@pytest.mark.slow
def test_a_full_sync_reads_what_the_listing_does_not_tell(published: str, aws: Any, queue: str) -> None:
    aws.create_event_source_mapping(FunctionName=published, EventSourceArn=queue, BatchSize=5)
    aws.publish_version(FunctionName=published)
    aws.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    aws.put_function_event_invoke_config(
        FunctionName=published, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    aws.add_permission(
        FunctionName=published, StatementId="a", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    sync_all()
    row = Function.objects.get(name=published)
    assert [(entry["source"], entry["state"], entry["batch_size"]) for entry in row.event_sources] == [
        (queue, "Enabled", 5)
    ]
    assert (row.kind, row.aliases, row.details_read) == ("queue", [], None)
    sync_all(full=True)
    row.refresh_from_db()
    assert row.aliases == [{"name": "live", "version": "1"}]
    assert row.async_settings == [{"qualifier": "$LATEST", "retries": 0, "on_failure": queue}]
    assert (row.callers, row.kind) == (["events.amazonaws.com"], "queue")
    assert row.revisions.count() == 1, "what was not known before is no change"
    revisions = FunctionRevision.objects.count()
    assert all(run.changed == run.created == 0 for run in [*sync_all(full=True), *sync_all()])
    assert FunctionRevision.objects.count() == revisions


def test_a_mapping_switched_off_is_a_change_without_any_new_revision_id(published: str, aws: Any, queue: str) -> None:
    mapping = aws.create_event_source_mapping(FunctionName=published, EventSourceArn=queue)
    sync_all()
    aws.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    [run] = sync_all()
    assert run.changed == 1
    changes = FunctionRevision.objects.filter(function__name=published).order_by("-pk")[0].changes
    assert [[entry["state"] for entry in side] for side in changes["event_sources"]] == [["Enabled"], ["Disabled"]]


def test_two_accounts_are_kept_apart_and_one_that_fails_hinders_no_other(published: str, aws: Any) -> None:
    AwsAccount.objects.create(name="a-broken", regions=["no region"])
    own = AwsAccount.objects.create(name="own", regions=[settings.AWS_REGION])
    other = AwsAccount.objects.create(
        name="subsidiary", role_arn=ROLE, external_id="x-1", regions=[settings.AWS_REGION]
    )
    AwsAccount.objects.create(name="z-asleep", active=False)
    runs = {run.account.name: run for run in sync_all() if run.account}
    assert set(runs) == {"a-broken", "own", "subsidiary"}
    assert runs["own"].seen > 0 and not runs["own"].problem
    for account in (own, other):
        account.refresh_from_db()
    assert other.number == "210987654321" != own.number
    function = Function.objects.get(name=published, account=own.number)
    assert access_to(function).role_arn == ""
    assert access_to(Function(account=other.number)).role_arn == ROLE
    delete(published)
    sync_all()
    gone = Function.objects.get(pk=function.pk)
    assert gone.gone is not None
    assert not Function.objects.filter(account=other.number).exclude(gone=None).exists()


def test_what_came_of_a_sync_stays_on_record(published: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sync_functions", "--full")
    said = json.loads(capsys.readouterr().out)
    run = SyncRun.objects.get()
    assert (said["seen"], run.full, run.failed_count) == (run.seen, True, 0)
    assert run.seen == len(list(list_functions(region=settings.AWS_REGION)))
    AwsAccount.objects.create(name="typo", regions=["no region"])
    with pytest.raises(CommandError, match="no region"):
        call_command("sync_functions")
    assert SyncRun.objects.latest("pk").problem
