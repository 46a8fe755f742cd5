"""Functions to attribute reports to, and the lines that Lambda writes about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.conf import settings

from services_registry.models import Function


@pytest.fixture
def make_function(db: None) -> Callable[[str], Function]:
    def make(name: str) -> Function:
        arn = f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:{name}"
        return Function.objects.create(
            name=name, arn=arn, account="123456789012", region=settings.AWS_REGION, memory_mb=512, timeout_s=3
        )

    return make


def report_line(request_id: str, *, ms: float = 100.0, billed: int = 100, memory: int = 512, tail: str = "") -> str:
    """One REPORT line; `tail` is appended as it is."""
    return (
        f"REPORT RequestId: {request_id}\tDuration: {ms:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {memory} MB\tMax Memory Used: 90 MB{tail}"
    )


def timeout_line(request_id: str, at: datetime, seconds: int = 3) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.000Z} {request_id} Task timed out after {seconds}.00 seconds"


def request_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
