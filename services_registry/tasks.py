"""Background work of this app: thin doors that carry ids only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from core.aws.errors import AwsError
from services_registry import batches
from services_registry.batches.leases import LEASE
from services_registry.registry import sync_functions as sync_from_aws


@shared_task(name="services_registry.run_chunk", ignore_result=True)
def run_chunk(chunk_id: str) -> None:
    """One chunk. Delivered twice, or after the chunk is gone, it does nothing; lost, it is sent again."""
    batches.run_chunk(UUID(chunk_id))


@shared_task(name="services_registry.pump_batches", ignore_result=True)
def pump_batches() -> None:
    """Hand out chunks whose pause is over."""
    batches.pump()


@shared_task(name="services_registry.recover_chunks", ignore_result=True, expires=10)
def recover_chunks() -> None:
    """Every ten seconds, and when a worker starts."""
    batches.recover()


@worker_ready.connect
def recover_at_start(**_signal: Any) -> None:
    """At once, and again when the leases of a worker that was just killed have run out: beat may be away, too."""
    recover_chunks.delay()
    later = LEASE.total_seconds() + 1
    recover_chunks.apply_async(countdown=later, expires=later + 60)


@shared_task(
    name="services_registry.sync_functions",
    ignore_result=True,
    autoretry_for=(AwsError,),
    max_retries=3,
    retry_backoff=30,
    retry_jitter=True,
)
def sync_functions() -> None:
    """Bring the functions of the platform's region in; hourly, and harmless at any time."""
    sync_from_aws(region=settings.AWS_REGION)
