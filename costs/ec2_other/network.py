"""What functions in a VPC did in a month, as far as telemetry tells: calls, cold starts, bytes of requests and answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db.models import Sum

from costs.ec2_other.reading import month_after
from services_registry.models import Chunk, Function, FunctionDay

MOST_CHUNKS = 5000
"""The average of a function's payload is taken of so many of the latest calls of all functions together."""


@dataclass(frozen=True, slots=True)
class Use:
    """One function's month. `payload_bytes` is the measured average of a call, None where no batch called it."""

    function: Function
    calls: int
    cold_starts: int
    payload_bytes: int | None


def functions_in_vpc() -> list[Function]:
    """As the registry knows them now; also functions that are gone, because bills are about the past."""
    wanted = ("account", "region", "name", "arn", "owner", "capability", "tags", "vpc", "sample", "architecture")
    return list(Function.objects.filter(in_vpc=True).only(*wanted).order_by("name", "pk"))


def uses_of(functions: Collection[Function], month: date) -> list[Use]:
    """Two queries."""
    ids = [function.pk for function in functions]
    sums = (
        FunctionDay.objects.filter(function__in=ids, day__gte=month, day__lt=month_after(month)).order_by()
        .values("function_id").annotate(calls=Sum("invocations"), cold=Sum("cold_starts"))
    )  # fmt: skip
    known = {row["function_id"]: (row["calls"], row["cold"]) for row in sums}
    payloads = _payloads({(function.name, function.region) for function in functions}, month)
    return [
        Use(function, *known.get(function.pk, (0, 0)), payloads.get((function.name, function.region)))
        for function in functions
    ]


def _payloads(names: Collection[tuple[str, str]], month: date) -> dict[tuple[str, str], int]:
    start, end = (datetime.combine(day, time(), UTC) for day in (month, month_after(month)))
    chunks = (
        Chunk.objects.filter(
            batch__function_name__in={name for name, _region in names}, batch__created__gte=start,
            batch__created__lt=end, request_bytes__isnull=False,
        ).order_by("-batch__created")
        .values_list("batch__function_name", "batch__region", "request_bytes", "response_bytes")[:MOST_CHUNKS]
    )  # fmt: skip
    regions = defaultdict(set)
    for name, region in names:
        regions[name].add(region)
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for name, region, request_bytes, response_bytes in chunks:
        for known in {region} if region else regions[name]:
            sums[name, known].append((request_bytes or 0) + (response_bytes or 0))
    return {key: sum(sizes) // len(sizes) for key, sizes in sums.items()}
