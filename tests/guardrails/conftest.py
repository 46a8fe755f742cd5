"""Functions with days of their own, made by the code that real reports go through."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from core.aws.clients import management_client
from core.aws.errors import AwsNotFound
from core.aws.functions import create_function
from core.roles import OPS_LEAD
from costs.price_book import seed_prices
from services_registry.models import Function, InvocationReport
from services_registry.telemetry.rollups import add_to_rollups
from tests.factories import make_user

NOW = timezone.now().astimezone(UTC).replace(hour=15, minute=0, second=0, microsecond=0)
"""Rules judge whole UTC days: tests stand in the afternoon."""


@pytest.fixture
def make_function(db: None) -> Callable[..., Function]:
    def make(name: str, **fields: Any) -> Function:
        given = {"region": "eu-central-1", "account": "123456789012", "runtime": "python3.12"}
        given |= {"memory_mb": 1024, "timeout_s": 30} | fields
        arn = f"arn:aws:lambda:{given['region']}:{given['account']}:function:{name}"
        return Function.objects.create(name=name, arn=arn, **given)

    return make


@pytest.fixture
def calls(db: None) -> Callable[..., None]:
    """`calls(function, 30, days_ago=1, ms=900_000, status="timeout")`: that many, in one hour of that day."""

    def add(
        function: Function, count: int, *, days_ago: int = 0, hour: int = 12, ms: float = 200, **fields: Any
    ) -> None:
        when = (NOW - timedelta(days=days_ago)).replace(hour=hour)
        add_to_rollups([
            InvocationReport(
                function=function, request_id=str(n), digest="d", at=when, duration_ms=ms, billed_ms=int(ms),
                memory_mb=function.memory_mb, door="file", **fields,
            )
            for n in range(count)
        ])  # fmt: skip

    return add


@pytest.fixture
def prices(db: None) -> None:
    seed_prices()


@pytest.fixture
def ops_lead(db: None) -> User:
    return make_user(OPS_LEAD, username="lead")


HANDLER = "import time\n\n\ndef handler(event, context):\n    time.sleep(event.get('sleep', 0))\n    return {}\n"
TIMEOUT_S = 1


def packed() -> bytes:
    archive_bytes = io.BytesIO()
    with zipfile.ZipFile(archive_bytes, "w") as archive:
        archive.writestr("app.py", HANDLER)
    return archive_bytes.getvalue()


@pytest.fixture
def aws() -> Any:
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    return management_client("lambda", settings.AWS_REGION)


@pytest.fixture
def sleeper(aws: Any) -> Iterator[str]:
    """A function in the local AWS that sleeps as long as it is told, and is ended after a second; fed by a queue."""
    name = f"sleeper-{uuid.uuid4().hex[:8]}"
    sqs = management_client("sqs", settings.AWS_REGION)
    url = sqs.create_queue(QueueName=f"{name}-orders")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    create_function(
        region=settings.AWS_REGION, code_zip=packed(), FunctionName=name, Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/any", Handler="app.handler", Timeout=TIMEOUT_S, MemorySize=128,
    )  # fmt: skip
    mapping = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue, BatchSize=5)
    yield name
    with suppress(AwsNotFound):
        aws.delete_event_source_mapping(UUID=mapping["UUID"])
    with suppress(AwsNotFound):
        aws.delete_function(FunctionName=name)
