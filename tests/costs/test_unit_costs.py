"""Cost per delivery: every invocation of a batch is divided over its deliveries, and what belongs to none is shown."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from costs.choices import Step, UnitPart
from costs.estimate import exact_sum
from costs.models import UnitBatch, UnitCost, UnitDay
from costs.selectors import batch_cost, cost_report, shipment_cost
from costs.tasks import refresh_unit_costs
from costs.unit_costs.refresh import count
from services_registry.models import Batch, BatchItem, Chunk, Function, FunctionDay
from shipments.models import Carrier, CarrierConnection, CarrierMessage, RemoteFile, Shipment

pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]
MONDAY = date(2026, 10, 12)
TUESDAY = MONDAY + timedelta(days=1)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def batch_of(capability: str, function: str, day: date, *chunks: tuple[int, list[str]]) -> Batch:
    """A batch whose invocations finished on a day; chunks as (billed ms, keys of items)."""
    batch = Batch.objects.create(
        capability=capability, function_name=function, region="eu-west-1", title=capability, created=at(day, 9),
        finished=at(day), total=sum(len(keys) for _ms, keys in chunks),
    )  # fmt: skip
    position = 0
    for number, (billed_ms, keys) in enumerate(chunks):
        chunk = Chunk.objects.create(
            batch=batch, position=number, billed_ms=billed_ms, billed_invocations=1, memory_mb=1024, attempt=1,
            finished=at(day), state="done",
        )  # fmt: skip
        for key in keys:
            BatchItem.objects.create(batch=batch, chunk=chunk, position=position, key=key)
            position += 1
    return batch


@pytest.fixture
def carriers(db: None) -> list[Carrier]:
    return [Carrier.objects.create(code=code, name=code.title()) for code in ("iberpost", "rapide")]


def deliveries(carrier: Carrier, count_of: int) -> list[Shipment]:
    numbers = (f"{carrier.code}-{number}" for number in range(count_of))
    return [Shipment.objects.create(tracking_number=number, carrier=carrier) for number in numbers]


def keys(rows: list[Any]) -> list[str]:
    return [str(row.pk) for row in rows]


def row_of(day: date, part: UnitPart, step: Step = Step.DAY, **fields: Any) -> UnitCost:
    return UnitCost.objects.get(step=step, start=day, part=part, **fields)


def usd_of(rows: Any) -> Decimal:
    return exact_sum(usd for pair in rows.values_list("usd", "other_usd") for usd in pair)


def test_parts_of_a_day_add_up_to_its_batches_and_are_what_each_delivery_cost(
    make_function: Make, carriers: list[Carrier]
) -> None:
    dice = random.Random(4)
    for name in ("renderer", "fetcher"):
        make_function(name, memory_mb=1024, ephemeral_mb=1024)
    shipments = [*deliveries(carriers[0], 9), *deliveries(carriers[1], 4)]
    batches = []
    for number in range(6):
        chosen = dice.sample(keys(shipments), 7)
        capability, function = (("render_pdf", "renderer"), ("fetch_documents", "fetcher"))[number % 2]
        chunks = [(dice.randrange(1, 10**6), chosen[:3]), (dice.randrange(1, 10**6), chosen[3:])]
        batches.append(batch_of(capability, function, MONDAY, *chunks))
    count(MONDAY, MONDAY)
    whole = exact_sum(batch_cost(batch) for batch in batches)
    assert whole > 0
    for part in UnitPart:
        assert usd_of(UnitCost.objects.filter(step=Step.DAY, part=part)) == whole
        assert usd_of(UnitCost.objects.filter(step=Step.WEEK, part=part)) == whole
    assert usd_of(UnitBatch.objects.all()) == whole
    for batch in batches:
        assert usd_of(UnitBatch.objects.filter(batch=batch)) == batch_cost(batch)
    for carrier in carriers:
        mine = exact_sum(shipment_cost(row.pk) for row in shipments if row.carrier_id == carrier.pk)
        assert row_of(MONDAY, UnitPart.CARRIER, carrier=carrier).usd == mine
    everything = row_of(MONDAY, UnitPart.ALL)
    assert (everything.items, everything.deliveries) == (42, len({k for k in BatchItem.objects.values_list("key")}))


def test_a_delivery_worked_on_twice_is_one_delivery(make_function: Make, carriers: list[Carrier]) -> None:
    make_function("renderer"), make_function("fetcher")
    (shipment,) = deliveries(carriers[0], 1)
    batch_of("render_pdf", "renderer", MONDAY, (100, keys([shipment])))
    batch_of("fetch_documents", "fetcher", MONDAY, (100, keys([shipment])))
    batch_of("render_pdf", "renderer", TUESDAY, (100, keys([shipment])))
    count(MONDAY, TUESDAY)
    assert [row_of(day, UnitPart.ALL).deliveries for day in (MONDAY, TUESDAY)] == [1, 1]
    assert [row.deliveries for row in UnitCost.objects.filter(step=Step.DAY, start=MONDAY, part=UnitPart.KIND)] == [
        1,
        1,
    ]
    week = row_of(MONDAY, UnitPart.ALL, Step.WEEK)
    assert (week.deliveries, week.items) == (1, 3)


def test_messages_files_sweeps_and_manifests_belong_to_their_carriers(
    make_function: Make, carriers: list[Carrier]
) -> None:
    for name in ("classifier", "fetcher", "renderer", "job"):
        make_function(name)
    (shipment,) = deliveries(carriers[1], 1)
    about, alone = (CarrierMessage.objects.create(carrier=carriers[1], shipment=s, text="x") for s in (shipment, None))
    connection = CarrierConnection.objects.create(carrier=carriers[0], protocol="sftp", host="h", port=22, username="u")
    files = [
        RemoteFile.objects.create(connection=connection, address=f"/{n}", name=n, shipment=s)
        for n, s in (("a", deliveries(carriers[0], 1)[0]), ("b", None))
    ]
    batch_of("classify_messages", "classifier", MONDAY, (100, keys([about, alone])))
    batch_of("fetch_files", "fetcher", MONDAY, (100, keys(files)))
    batch_of("sweep_connections", "fetcher", MONDAY, (100, keys([connection])))
    batch_of("render_pdf", "renderer", MONDAY, (100, [f"manifest-{carriers[0].pk}-1", "99999999"]))
    batch_of("", "job", MONDAY, (100, ["run"]), (50, []))
    count(MONDAY, MONDAY)
    found = {
        (row.carrier_id, row.capability): (row.items, row.other_items)
        for row in UnitCost.objects.filter(step=Step.DAY, part=UnitPart.BOTH)
    }
    first, second = (carrier.pk for carrier in carriers)
    assert found == {
        (second, "classify_messages"): (1, 1), (first, "fetch_files"): (1, 1), (first, "sweep_connections"): (0, 1),
        (first, "render_pdf"): (0, 1), (None, "render_pdf"): (0, 1), (None, ""): (0, 1),
    }  # fmt: skip
    run = row_of(MONDAY, UnitPart.BOTH, capability="")
    assert run.usd == 0 and run.other_usd == Decimal("0.15") * Decimal("0.0000166667") + 2 * Decimal("0.0000002")


def test_what_cannot_be_attributed_is_counted_beside(make_function: Make, carriers: list[Carrier]) -> None:
    renderer, other = make_function("renderer", memory_mb=1024), make_function("ledger", memory_mb=1024)
    batch_of("render_pdf", "renderer", MONDAY, (1_000, keys(deliveries(carriers[0], 2))))
    for function, calls in ((renderer, 4), (other, 7)):
        FunctionDay.objects.create(
            function=function, day=MONDAY, invocations=calls, billed_ms=calls * 1000, billed_mb_ms=calls * 1_024_000
        )
    count(MONDAY, MONDAY)
    one, day = Decimal("0.0000166667") + Decimal("0.0000002"), UnitDay.objects.get(day=MONDAY)
    assert (day.outside_usd, day.elsewhere_usd, day.account_usd) == (3 * one, 7 * one, 0)
    in_batches = usd_of(UnitCost.objects.filter(step=Step.DAY, part=UnitPart.ALL))
    assert in_batches + day.outside_usd + day.elsewhere_usd == cost_report(MONDAY, MONDAY).total.usd
    FunctionDay.objects.filter(function=renderer).delete()
    count(MONDAY, MONDAY)
    assert UnitDay.objects.get(day=MONDAY).outside_usd == 0, "a line that is not in yet is no negative cost"


def test_counting_again_changes_nothing_and_takes_late_answers_in(make_function: Make, carriers: list[Carrier]) -> None:
    make_function("renderer")
    batch_of("render_pdf", "renderer", MONDAY, (100, keys(deliveries(carriers[0], 2))))

    def everything() -> list[Any]:
        costs = UnitCost.objects.order_by("step", "part", "start", "carrier", "capability")
        fields = ("step", "part", "start", "carrier", "capability", "deliveries", "items", "usd", "other_usd")
        return [*costs.values_list(*fields), *UnitBatch.objects.values_list("day", "batch", "carrier", "usd", "items")]

    count(MONDAY, TUESDAY)
    once = everything()
    count(MONDAY, TUESDAY)
    assert everything() == once != []
    batch_of("render_pdf", "renderer", TUESDAY, (100, keys(deliveries(carriers[1], 1))))
    count(MONDAY, TUESDAY)
    assert len(everything()) > len(once)
    assert row_of(MONDAY, UnitPart.ALL).deliveries == 2


def test_the_task_begins_with_the_first_day_and_goes_on_with_the_last(
    make_function: Make, carriers: list[Carrier]
) -> None:
    make_function("renderer")
    today = datetime.now(UTC).date()
    batch_of("render_pdf", "renderer", today - timedelta(days=3), (100, keys(deliveries(carriers[0], 1))))
    refresh_unit_costs()
    assert UnitDay.objects.count() == 4
    weeks = UnitCost.objects.filter(step=Step.WEEK)
    assert usd_of(weeks.filter(part=UnitPart.ALL)) > 0
    UnitDay.objects.filter(day__gte=today - timedelta(days=1)).delete()
    before = set(weeks.values_list("pk", flat=True))
    refresh_unit_costs()
    assert UnitDay.objects.count() == 4
    assert set(weeks.values_list("pk", flat=True)) == before, "nothing was done, so no week was read again"
    batch_of("render_pdf", "renderer", today, (100, keys(deliveries(carriers[1], 1))))
    refresh_unit_costs()
    assert (
        row_of(today - timedelta(days=today.weekday()), UnitPart.CARRIER, Step.WEEK, carrier=carriers[1]).deliveries
        == 1
    )


def test_days_are_counted_anew_by_command(make_function: Make, carriers: list[Carrier]) -> None:
    make_function("renderer")
    batch_of("render_pdf", "renderer", MONDAY, (100, keys(deliveries(carriers[0], 1))))
    said = io.StringIO()
    call_command("count_unit_costs", "--from", str(MONDAY), "--to", str(TUESDAY), stdout=said)
    assert said.getvalue() == "2 days counted, 2026-10-12 to 2026-10-13\n"
    assert row_of(MONDAY, UnitPart.ALL).deliveries == 1
    with pytest.raises(CommandError, match="must not be after"):
        call_command("count_unit_costs", "--from", str(TUESDAY), "--to", str(MONDAY))
