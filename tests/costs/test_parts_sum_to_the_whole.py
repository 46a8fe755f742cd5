"""Whatever is grouped by whatever, parts add up to the whole to the last digit, in every table that answers."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.billed import DIMENSIONS, Asked, billed, grand_total, table_for
from costs.estimate import exact_sum
from costs.imports.shapes import Bill, Key
from costs.imports.taking import take
from costs.models import BilledCost, BilledDay, BilledMonth, BilledPeriod, BilledResourceMonth, CostImport

FIRST = date(2026, 9, 1)
few = st.sampled_from
money = st.decimals(min_value=-(10**7), max_value=10**7, allow_nan=False, places=18) | st.none()
GROUPINGS = [(), *((name,) for name in sorted(DIMENSIONS)), *list(combinations(sorted(DIMENSIONS), 2))[::7]]


@st.composite
def charges(draw: st.DrawFn) -> tuple[Key, list[Decimal | None]]:
    day = FIRST + timedelta(days=draw(st.integers(0, 60)))
    key = Key(
        provider=draw(few(["AWS", "Oracle"])), billing_account=draw(few(["1", "2"])), month=day.replace(day=1), day=day,
        until=day + timedelta(days=1), account=draw(few(["a", "b", ""])), service=draw(few(["AWS Lambda", "", "Tax"])),
        service_code="", usage_type=draw(few(["GB", "Request", ""])), operation=draw(few(["Invoke", ""])),
        region=draw(few(["eu-west-1", ""])), resource=draw(few(["arn:1", "arn:2", ""])),
        charge_category=draw(few(["Usage", "Tax", "Credit"])), line_type=draw(few(["Usage", "Refund"])),
        currency=draw(few(["USD", "EUR"])), capability=draw(few(["render_pdf", ""])), unit=draw(few(["GB", ""])),
        estimated=draw(st.booleans()),
    )  # fmt: skip
    return key, [draw(money), draw(money.filter(lambda value: value is not None)), *(draw(money) for _ in range(4))]


@pytest.mark.slow
@pytest.mark.django_db
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(charges(), min_size=1, max_size=40))
def test_every_grouping_adds_up(db: Any, lines: list[tuple[Key, list[Decimal | None]]]) -> None:
    BilledPeriod.objects.all().delete()
    bill = Bill("FOCUS 1.0", "focus", rows=len(lines))
    for key, sums in lines:
        bill.add(key, sums, 1)
    take(bill, CostImport(name="made", sha256="0" * 64))
    whole: defaultdict[str, list[Decimal | None]] = defaultdict(list)
    for key, sums in lines:
        whole[key.currency].append(sums[1])
    expected = {currency: exact_sum(parts) for currency, parts in whole.items()}
    seen = set()
    for by in GROUPINGS:
        for first, end in ((None, None), (FIRST, FIRST + timedelta(days=61))):
            asked = Asked(first=first, end=end, by=by)
            seen.add(table_for(asked))
            groups = billed(asked)
            assert grand_total(groups) == expected, (by, first)
            assert sum(group.lines for group in groups) == len(lines)
    of_resources = exact_sum(sums[1] for key, sums in lines if key.resource)
    for by in (("month", "resource"), ("resource", "usage_type"), ("resource",)):
        named = Asked(by=by, where={"resource": ["arn:1", "arn:2"]})
        for asked in (named, Asked(by=by, resources_only=True)):
            assert exact_sum(group.cost for group in billed(asked)) == of_resources
    assert seen == {BilledCost, BilledDay, BilledMonth}
    assert table_for(Asked(by=("resource",), where={"resource": "arn:1"})) is BilledResourceMonth
