"""Money is exact: parts add up to the whole to the last digit, and the published worked example comes out."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import timezone

from core.timerange import TimeRange
from costs.estimate import estimate, exact_sum
from costs.selectors import batch_cost, cost_report, series_of, share_of, shipment_cost, shipment_costs, total_cost
from services_registry.models import Batch, BatchItem, Chunk, Function, FunctionDay
from services_registry.pricing import Usage
from shipments.models import Carrier, CarrierMessage, Shipment

DAY = date(2026, 10, 15)
TIMED_OUT_MB_MS = Decimal(900_000 * 1024)
pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]


def test_a_quarter_of_an_hour_at_one_gigabyte_costs_one_and_a_half_cents() -> None:
    (cost,) = estimate([Usage("eu-west-1", "x86_64", DAY, 1, TIMED_OUT_MB_MS)])
    assert cost == Decimal("900") * Decimal("0.0000166667") + Decimal("0.0000002")
    assert round(cost, 4) == Decimal("0.0150")


def test_a_thousand_at_once_for_two_days_cost_what_the_article_says() -> None:
    runs = 1000 * 48 * 4
    (cost,) = estimate([Usage("eu-west-1", "x86_64", DAY, runs, TIMED_OUT_MB_MS * runs)])
    assert cost is not None
    assert abs(cost - 2880) < Decimal("0.05")  # the listed price is 1/60,000 rounded; requests add 4 cents


def test_days_functions_and_groups_each_add_up_to_the_total(make_function: Make) -> None:
    dice = random.Random(20_261_123)
    places = [("eu-west-1", "x86_64"), ("eu-south-1", "arm64"), ("af-south-1", "x86_64")]
    whole = Fraction(0)
    for number in range(12):
        region, architecture = places[number % 3]
        function = make_function(f"f-{number}", region=region, architecture=architecture, owner=f"team-{number % 4}")
        for back in range(9):
            calls, used = dice.randrange(1, 10**7), Decimal(dice.randrange(1, 10**16))
            day = DAY - timedelta(days=back)
            FunctionDay.objects.create(function=function, day=day, invocations=calls, billed_mb_ms=used)
            (cost,) = estimate([Usage(region, architecture, day, calls, used)])
            whole += Fraction(cost or 0)
    report = cost_report(DAY - timedelta(days=8), DAY)
    _days, series = series_of(report)
    splits: list[list[Decimal | None]] = [
        [amount.usd for amount in report.days.values()],
        [amount.usd for amount in report.functions.values()],
        [amount.usd for amount in report.grouped("owner").values()],
        [usd for values in series.values() for usd in values],
    ]
    assert len(series) == 6
    assert Fraction(report.total.usd) == whole
    assert [exact_sum(parts) for parts in splits] == [report.total.usd] * 4


def test_the_total_of_a_range_counts_its_days_once(make_function: Make) -> None:
    function = make_function("f", memory_mb=1024)
    today = timezone.now().date()
    for back in (0, 3, 40):
        day = today - timedelta(days=back)
        FunctionDay.objects.create(function=function, day=day, invocations=1, billed_mb_ms=TIMED_OUT_MB_MS)
    now = timezone.now()
    period = TimeRange(now - timedelta(days=30), now, "30d", "last 30 days")
    assert total_cost(period) == 2 * (900 * Decimal("0.0000166667") + Decimal("0.0000002"))


def test_shares_of_an_invocation_add_up_to_it() -> None:
    dice = random.Random(7)
    for _ in range(200):
        cost = Decimal(dice.randrange(1, 10**20)).scaleb(-25)
        parts = dice.randrange(1, 60)
        assert exact_sum(share_of(cost, parts, place) for place in range(parts)) == cost


def test_shipments_together_cost_what_their_batch_cost(make_function: Make) -> None:
    make_function("renderer", memory_mb=1024)
    carrier = Carrier.objects.create(code="iberpost", name="Iberpost")
    shipments = [Shipment.objects.create(tracking_number=f"T{n}", carrier=carrier) for n in range(7)]
    batch = Batch.objects.create(capability="render_pdf", function_name="renderer", region="eu-west-1", title="PDFs")
    for position, (group, billed) in enumerate(((shipments[:3], 1237), (shipments[3:], 90_001))):
        chunk = Chunk.objects.create(batch=batch, position=position, billed_ms=billed, memory_mb=1024, attempt=1)
        for place, shipment in enumerate(group):
            item = BatchItem(batch=batch, chunk=chunk, position=position * 10 + place, key=str(shipment.pk))
            item.save()
    whole = batch_cost(batch)
    assert whole > 0
    assert exact_sum(shipment_cost(shipment.pk) for shipment in shipments) == whole


def test_a_message_of_the_shipment_counts_as_work_on_it(make_function: Make) -> None:
    make_function("classifier", memory_mb=512)
    carrier = Carrier.objects.create(code="rapide", name="Rapide")
    shipment = Shipment.objects.create(tracking_number="T1", carrier=carrier)
    message = CarrierMessage.objects.create(carrier=carrier, shipment=shipment, text="delivered")
    batch = Batch.objects.create(
        capability="classify_messages", function_name="classifier", region="eu-west-1", title="M"
    )
    chunk = Chunk.objects.create(batch=batch, position=0, billed_ms=100, memory_mb=512, attempt=1)
    BatchItem.objects.create(batch=batch, chunk=chunk, position=0, key=str(message.pk))
    (part,) = shipment_costs(shipment.pk)
    assert (part.capability, part.usd) == ("classify_messages", batch_cost(batch))
