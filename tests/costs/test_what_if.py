"""Should this be a Lambda? Numbers that can be checked by hand, and assumptions that can be changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from costs.choices import Meter, WayOut
from costs.estimate import PriceBook
from costs.models import Price, ServerType, WhatIf
from costs.tasks import refresh_what_ifs
from costs.what_if.answer import Answer, answer, lambda_curve, server_curve
from costs.what_if.assumptions import USUAL, Assumptions, AssumptionsForm
from costs.what_if.seed import seed_servers
from costs.what_if.use import Use, use_of, window
from services_registry.models import Function, FunctionDay, FunctionHour
from services_registry.telemetry.histogram import bucket_of, encode

pytestmark = pytest.mark.usefixtures("prices", "servers")
Make = Callable[..., Function]
X86, ARM, REQUEST = Decimal("0.0000166667"), Decimal("0.0000133334"), Decimal("0.0000002")
MONTH = Decimal(730) / 24


@pytest.fixture
def servers(db: None) -> None:
    seed_servers()


def days_of(function: Function, *, calls: int, ms: int, days: int = 30, used_mb: int = 200, **fields: Any) -> None:
    """The same on each of the last whole days."""
    today = timezone.now().astimezone(UTC).date()
    billed = calls * ms
    facts = {
        "invocations": calls, "duration_ms": float(billed), "billed_ms": billed, "max_memory_mb": used_mb,
        "billed_mb_ms": billed * function.memory_mb, "histogram": encode(Counter({bucket_of(ms): calls})),
    } | fields  # fmt: skip
    FunctionDay.objects.bulk_create(
        FunctionDay(function=function, day=today - timedelta(days=back), **facts) for back in range(1, days + 1)
    )


def close(value: Decimal) -> Any:
    """What-ifs divide by days, so they are no exact sums."""
    return pytest.approx(value, rel=Decimal("1e-20"))


def answered(function: Function, **assumed: Any) -> Answer:
    today = timezone.now().astimezone(UTC).date()
    use = use_of(function, *window(30, today))
    assert use is not None
    kinds = list(ServerType.objects.filter(offered=True))
    return answer(use, Assumptions(**assumed), PriceBook(), kinds, today)


def test_a_queue_reader_that_runs_all_day_belongs_on_a_server(make_function: Make) -> None:
    """1,024 MB, one call after the other, day and night: 44 USD a month against a server of 13."""
    drainer = make_function("queue-drainer", memory_mb=1024, timeout_s=900)
    days_of(drainer, calls=360, ms=240_000, used_mb=300)
    found = answered(drainer)
    seconds = 86_400 * MONTH
    assert found.usd == close(seconds * X86 + 360 * MONTH * REQUEST)
    assert found.use.busy_share == pytest.approx(1 - math.exp(-1))
    assert found.server is not None and found.way == WayOut.SERVER
    assert found.gain == found.usd - found.server.usd > 25
    assert found.break_even is not None and found.break_even < found.use.calls_per_day


def test_a_function_that_is_called_now_and_then_stays(make_function: Make) -> None:
    rare = make_function("rare", memory_mb=128, timeout_s=10, architecture="arm64")
    days_of(rare, calls=50, ms=40, used_mb=120)
    found = answered(rare)
    assert found.way == WayOut.STAY and found.gain == 0
    assert found.server is not None and found.server.usd == Decimal(730) * Decimal("0.0046")
    assert found.break_even is not None and found.break_even > 1_000


def test_the_break_even_is_where_the_two_lines_cross(make_function: Make) -> None:
    function = make_function("f", memory_mb=512, timeout_s=60)
    days_of(function, calls=2_000, ms=900)
    found = answered(function)
    assert found.break_even and found.server and found.usd
    scale = found.break_even / 2_000
    line, stair = lambda_curve(found), server_curve(found.server, found.use, USUAL)
    assert line(1) == pytest.approx(float(found.usd)) and stair(1) == pytest.approx(float(found.server.usd))
    assert line(scale * 0.999) < stair(scale * 0.999) and line(scale * 1.001) >= stair(scale * 1.001)


def test_servers_are_as_many_as_memory_cpu_and_baseline_ask_for(make_function: Make) -> None:
    function = make_function("busy", memory_mb=1769, timeout_s=60)
    days_of(function, calls=86_400, ms=4_000, used_mb=1_000)
    use = answered(function).use
    assert use.load == pytest.approx(4) and use.peak_load == pytest.approx(4)
    at_once = math.ceil(4 + 2.33 * 2)

    def count(**assumed: Any) -> tuple[int, str]:
        (offer,) = answered(function, server="t4g.medium", wait="no", **assumed).offers
        return offer.count, offer.why

    assert count(cpu=Decimal(0), fill=Decimal(1), more=Decimal(1)) == (math.ceil(at_once / 4), "memory")
    assert count(cpu=Decimal(0), fill=Decimal(1), more=Decimal("0.5")) == (math.ceil(at_once / 7), "memory")
    assert count(cpu=Decimal(1), fill=Decimal(1)) == (math.ceil(4 / (2 * 0.2)), "baseline")
    ServerType.objects.filter(name="t4g.medium").update(baseline=1)
    assert count(cpu=Decimal(1), fill=Decimal(1)) == (math.ceil(at_once / 2), "cpu")
    assert count(cpu=Decimal(1), fill=Decimal("0.5")) == (at_once, "cpu")
    assert count(cpu=Decimal(0), fill=Decimal(1), least=7) == (7, "least")
    (offer,) = answered(function, server="t4g.medium", hours=12, least=7).offers
    assert offer.usd == offer.count * Decimal(365) * Decimal("0.0368")
    assert not answered(function, server="t4g.nano").offers, "512 MB hold no call of 1,000"


def test_work_that_a_queue_keeps_may_wait(make_function: Make) -> None:
    function = make_function("reader", memory_mb=512, timeout_s=60, kind="queue")
    days_of(function, calls=3_600, ms=12_000, days=2)
    last = timezone.now().astimezone(UTC).date() - timedelta(days=1)
    at = datetime(last.year, last.month, last.day, 9, tzinfo=UTC)
    FunctionHour.objects.create(function=function, hour=at, invocations=3_600, duration_ms=43_200_000)
    one = answered(function, server="t4g.small")
    assert one.use.peak_load == pytest.approx(12) and one.use.load == pytest.approx(0.5)
    assert one.offers[0].count == 1, "half a call at once on average"
    assert answered(function, server="t4g.small", wait="no").offers[0].count > 1, "21 at once in the busiest hour"


def test_memory_moves_the_bill_between_only_waiting_and_only_computing(make_function: Make) -> None:
    function = make_function("f", memory_mb=1024, timeout_s=60)
    days_of(function, calls=1_000, ms=1_000, used_mb=400)
    found = answered(function, cpu=Decimal("0.5"))
    by = {(option.memory_mb, option.architecture): option for option in found.options}
    seconds, requests = 1_000 * MONTH, 1_000 * MONTH * REQUEST
    half = by[512, "x86_64"]
    assert half.low == close(seconds / 2 * X86 + requests), "it only waits: half the memory, half the price"
    assert half.high == close(seconds * X86 + requests), "it only computes: half the memory, twice the time"
    assert half.usd == close(seconds * Decimal("0.75") * X86 + requests) and half.ms == 1_500
    double = by[3072, "x86_64"]
    assert double.ms == close(Decimal(500) + Decimal(500) * 1024 / 1769), "beyond one vCPU nothing gets faster"
    assert not by[384, "x86_64"].fits and half.fits
    arm = by[1024, "arm64"]
    assert arm.usd == close(seconds * ARM + requests)
    slow = answered(function, arm=Decimal("1.5"))
    assert next(o for o in slow.options if (o.memory_mb, o.architecture) == (1024, "arm64")).usd > (found.usd or 0)


def test_a_smaller_size_that_would_time_out_is_no_way_out(make_function: Make) -> None:
    function = make_function("tight", memory_mb=1024, timeout_s=1)
    days_of(function, calls=50_000, ms=900, used_mb=100)
    assert (answered(function).memory or found_nothing()).memory_mb == 1024
    function.timeout_s = 60
    function.save()
    assert (answered(function).memory or found_nothing()).memory_mb == 256


def found_nothing() -> Any:
    raise AssertionError


def test_hours_are_looked_at_where_they_are_kept(make_function: Make) -> None:
    function = make_function("office", memory_mb=512, timeout_s=60)
    days_of(function, calls=3_600, ms=1_000, days=2)
    last = timezone.now().astimezone(UTC).date() - timedelta(days=1)
    at = datetime(last.year, last.month, last.day, 9, tzinfo=UTC)
    FunctionHour.objects.create(function=function, hour=at, invocations=3_600, duration_ms=3_600_000)
    use = answered(function).use
    assert use.peak_load == pytest.approx(1), "all of the last day's calls came in one hour"
    assert use.busy_hours == pytest.approx((1 - math.exp(-1)) + 24 * (1 - math.exp(-1 / 24)))


def test_few_calls_and_unknown_prices_say_nothing(make_function: Make) -> None:
    few, nowhere = make_function("few", memory_mb=3008), make_function("nowhere", region="mars-north-1")
    days_of(few, calls=1, ms=29_000, days=10)
    days_of(nowhere, calls=100, ms=100)
    assert not answered(few).enough and answered(few).way == WayOut.STAY
    assert answered(nowhere).usd is None
    assert use_of(make_function("never"), date(2026, 10, 1), date(2026, 10, 2)) is None


def test_a_price_that_is_missing_takes_only_its_server_away(make_function: Make) -> None:
    function = make_function("f", memory_mb=512, timeout_s=60)
    days_of(function, calls=1_000, ms=500)
    known = {offer.type.name for offer in answered(function).offers}
    Price.objects.filter(meter=Meter.SERVER_HOUR, item="t4g.nano").delete()
    assert known - {offer.type.name for offer in answered(function).offers} == {"t4g.nano"}
    Price.objects.filter(meter=Meter.SERVER_HOUR).delete()
    found = answered(function)
    assert found.server is None and found.break_even is None and found.usd is not None


def test_wrong_assumptions_are_named_and_the_usual_ones_taken() -> None:
    form = AssumptionsForm({"cpu": "140", "arm": "x", "hours": "12", "server": "p5.huge"})
    assert set(form.errors) == {"cpu", "arm", "server"} and form.assumptions() == USUAL
    form = AssumptionsForm({"cpu": "80", "server": "t4g.small", "days": "7"})
    assert form.assumptions() == Assumptions(days=7, cpu=Decimal("0.8"), server="t4g.small", arm=Decimal("1.00"))


def test_the_list_is_kept_for_all_functions(make_function: Make) -> None:
    for number in range(3):
        days_of(make_function(f"drainer-{number}", memory_mb=1024, timeout_s=900), calls=360, ms=240_000)
    make_function("never")
    days_of(make_function("gone", gone=timezone.now()), calls=100, ms=100)
    refresh_what_ifs()
    once = list(WhatIf.objects.order_by("function").values_list("function", "way", "gain", "usd"))
    assert len(once) == 3 and {way for _pk, way, *_usd in once} == {WayOut.SERVER}
    refresh_what_ifs()
    assert list(WhatIf.objects.order_by("function").values_list("function", "way", "gain", "usd")) == once


def test_use_knows_its_days(make_function: Make) -> None:
    function = make_function("young", memory_mb=512)
    days_of(function, calls=10, ms=100, days=3)
    use: Use = answered(function).use
    assert (use.days, use.calls, use.calls_per_day) == (3, 30, 10)
