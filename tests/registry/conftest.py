"""Functions with rollups, made by the same code that real reports go through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.utils import timezone

from services_registry.models import Function, InvocationReport
from services_registry.telemetry.rollups import add_to_rollups


@pytest.fixture
def make_function(db: None) -> Callable[..., Function]:
    def make(name: str, **fields: Any) -> Function:
        given = {"region": "eu-west-1", "account": "123456789012", "runtime": "python3.12"}
        given |= {"memory_mb": 512, "timeout_s": 30} | fields
        arn = f"arn:aws:lambda:{given['region']}:{given['account']}:function:{name}"
        return Function.objects.create(name=name, arn=arn, **given)

    return make


@pytest.fixture
def report(db: None) -> Callable[..., None]:
    """`report(function, count=3, status="timeout")`: reports of yesterday noon, with their rollups."""

    def add(function: Function, *, count: int = 1, billed_ms: int = 1000, days_ago: int = 1, **fields: Any) -> None:
        when = timezone.now().astimezone(UTC).replace(hour=12, minute=0) - timedelta(days=days_ago)
        known = InvocationReport.objects.count()
        rows = [
            InvocationReport(
                function=function, request_id=f"r-{known + n}", digest="d", at=when, duration_ms=float(billed_ms),
                billed_ms=billed_ms, memory_mb=function.memory_mb, door="file", **fields,
            )
            for n in range(count)
        ]  # fmt: skip
        InvocationReport.objects.bulk_create(rows)
        add_to_rollups(rows)

    return add
