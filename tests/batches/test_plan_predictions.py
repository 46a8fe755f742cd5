"""Duration, money and places of a plan, from what is known."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as configured
from django.utils import timezone

from core.aws.clients import management_client
from costs.models import ExchangeRate
from services_registry import capabilities
from services_registry.batches.plan import plan_items, plan_run
from services_registry.batches.target import target_of
from services_registry.choices import ChunkState, Origin
from services_registry.models import CapabilityBinding, Chunk, EngineSettings, Function, FunctionDay
from services_registry.telemetry.histogram import bucket_of, encode
from tests.batches.plans import FUNCTION, Crates, crates, crates_bound, planned, ran

GB_S, REQUEST = Decimal("0.0000166667"), Decimal("0.0000002")
Budget = Callable[[int], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def function(db: None) -> Iterator[Function]:
    with crates_bound() as row:
        yield row


def measured(function: Function, **fields: Any) -> FunctionDay:
    """A day of 100 invocations of 2 s each."""
    values = {
        "function": function, "day": timezone.now().date(), "invocations": 100, "duration_ms": 200_000,
        "billed_ms": 200_000, "histogram": encode(Counter({bucket_of(2_000): 100})),
    }  # fmt: skip
    return FunctionDay.objects.create(**(values | fields))


def test_duration_is_rounds_of_chunks() -> None:
    ran((5_000, 50), (5_000, 50))
    plan = planned(crates(500))
    assert (plan.chunks, plan.at_once, plan.seconds) == (10, 4, 15)  # three rounds of 5 s


def test_the_newest_chunks_of_each_batch_count_however_large_another_one_is() -> None:
    ran(*[(1_000, 10)] * 30)
    ran((9_000, 10))
    assert planned(crates(3)).history.samples == 21


def test_another_capability_of_the_same_function_teaches_nothing() -> None:
    batch = ran((10_000, 10))
    batch.capability = "other"
    batch.save()
    assert not planned(crates(3)).history.known


def test_telemetry_speaks_about_invocations_where_no_chunk_does(function: Function) -> None:
    measured(function)
    facts = planned(crates(120)).snapshot()
    assert facts["basis"]["source"] == "telemetry" and facts["basis"]["per"] == "invocation"
    assert facts["item_p50_ms"] is None
    assert facts["chunk_seconds"] == pytest.approx(2, rel=0.02)
    assert facts["seconds"] == 2  # three chunks at once


def test_sample_history_predicts_only_for_sample_functions(function: Function) -> None:
    measured(function, origin=Origin.SAMPLE)
    assert not planned(crates(3)).history.known
    Function.objects.update(sample=True)
    assert "sample" in str(planned(crates(3)).history)


def test_cost_is_billed_time_by_memory_and_price_and_exact() -> None:
    ran((5_000, 50), billed_ms=5_500)  # INIT is billed too
    plan = planned(crates(500))
    usd = Decimal("55") * GB_S + 10 * REQUEST
    assert Decimal(plan.snapshot()["usd"]) == usd
    assert Decimal(plan.snapshot()["eur"]) == usd * Decimal("0.87")


def test_the_euro_rate_is_that_of_the_day() -> None:
    ran((5_000, 50))
    before = planned(crates(50)).spending.predicted
    ExchangeRate.objects.create(currency="EUR", per_usd=Decimal("0.5"), valid_from=timezone.now().date())
    after = planned(crates(50)).spending.predicted
    assert before.usd is not None and after.usd == before.usd and after.eur == before.usd / 2


def test_at_worst_every_invocation_that_may_be_made_times_out() -> None:
    facts = planned(crates(50)).snapshot()
    # One chunk; while nothing succeeds a batch divides 17 times, into two chunks each; all may be sent three times.
    assert (facts["worst_sends"], facts["worst_invocations"]) == (3, 3 * (1 + 2 * 17))
    worst = 105 * (60 * GB_S + REQUEST)
    assert Decimal(facts["worst_usd"]) == worst
    assert Decimal(facts["worst_eur"]) == worst * Decimal("0.87")
    assert Decimal(facts["worst_async_usd"]) == 3 * (60 * GB_S + REQUEST)  # once, and two retries of AWS


def test_single_items_are_never_divided() -> None:
    assert planned(crates(10), chunk_size=1).snapshot()["worst_invocations"] == 30


def test_work_that_must_not_be_repeated_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Crates, "repeatable", False, raising=False)
    facts = planned(crates(10), chunk_size=1).snapshot()
    assert Decimal(facts["worst_usd"]) == 10 * (60 * GB_S + REQUEST)
    assert Decimal(facts["worst_async_usd"]) == 3 * Decimal(facts["worst_usd"])


def test_one_fifteen_minute_time_out_at_a_gigabyte_costs_a_cent_and_a_half() -> None:
    Function.objects.update(timeout_s=900)
    plan = plan_run(FUNCTION, [{}])
    assert plan.spending.worst.usd is not None and round(plan.spending.worst.usd, 4) == Decimal("0.0150")


def test_all_limits_bound_the_places() -> None:
    assert (planned(crates(500)).at_once, planned(crates(60)).at_once) == (4, 2)
    assert planned(crates(500), concurrency=2).at_once == 2
    assert planned(crates(500), concurrency=9).concurrency == 4  # the binding is the function's limit
    Function.objects.update(dispatch_limit=7)
    assert planned(crates(500), concurrency=9).at_once == 7
    EngineSettings.objects.create(concurrency=3)
    assert planned(crates(500), concurrency=9).at_once == 3


def test_free_places_are_the_reserved_ones_less_those_we_hold() -> None:
    Function.objects.update(reserved_concurrency=10)
    batch = ran((1_000, 1))
    Chunk.objects.create(batch=batch, position=9, state=ChunkState.RUNNING)
    Chunk.objects.create(batch=batch, position=10, state=ChunkState.CHECKING)
    assert planned(crates(3)).snapshot()["free_concurrency"] == 8


def test_free_places_without_a_reservation_are_those_of_the_account() -> None:
    free = planned(crates(3)).snapshot()["free_concurrency"]
    assert free == management_client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    Chunk.objects.create(batch=ran((1_000, 1)), position=9, state=ChunkState.RUNNING)
    assert planned(crates(3)).snapshot()["free_concurrency"] == free - 1


def test_an_aws_that_does_not_answer_leaves_them_unknown_and_costs_little_time(settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    started = time.monotonic()
    assert planned(crates(3)).snapshot()["free_concurrency"] is None
    assert time.monotonic() - started < 5


def test_a_start_plans_without_asking_aws(settings: Any, query_budget: Budget) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    kind = capabilities.get("crates")
    items = list(kind.resolve({"keys": crates(3_000)}))
    with query_budget(12):
        plan = plan_items(kind, items, target_of(kind), groups={})
    assert plan.capacity.free is None and plan.chunks == 60


def test_plain_runs_are_planned_from_the_invocations_of_the_function(function: Function) -> None:
    measured(function)
    plan = plan_run(FUNCTION, [{"n": number} for number in range(30)])
    assert (plan.items, plan.chunks, plan.chunk_size, plan.size.why) == (30, 30, 1, "plain")
    assert plan.snapshot()["item_p50_ms"] == pytest.approx(2_000, rel=0.02)
    assert plan.spending.sends == 1


def test_plain_runs_in_envelopes_are_cut_like_any_batch() -> None:
    CapabilityBinding.objects.all().delete()
    plan = plan_run(FUNCTION, [{"n": number} for number in range(120)], chunked=True, chunk_size=30)
    assert (plan.chunks, plan.chunk_size, plan.target.region) == (4, 30, configured.AWS_REGION)


def test_old_telemetry_is_forgotten(function: Function) -> None:
    measured(function, day=timezone.now().date() - timedelta(days=60))
    assert not plan_run(FUNCTION, [{}]).history.known
