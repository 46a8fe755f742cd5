"""What `make drill` replays, in small: two hours of twenty-five calls at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bench import runaway


@pytest.mark.slow
@pytest.mark.django_db
def test_a_stop_ends_what_would_have_gone_on(aws: Any) -> None:
    stage = runaway.prepare()
    try:
        alone = runaway.replay(stage, runaway.ALONE, stopping=False, hours=2, at_once=25)
        stopped = runaway.replay(stage, runaway.STOPPED, stopping=True, hours=2, at_once=25)
    finally:
        for name in stage.functions:
            aws.delete_function(FunctionName=name)
    assert (alone.detected_s, alone.stopped_s, alone.rounds, alone.refused) == (965, None, 8, 0)
    assert (stopped.detected_s, stopped.stopped_s, stopped.rounds, stopped.refused) == (965, 1265, 2, 6)
    a_round = 25 * 900 * Decimal("0.0000166667")
    assert (alone.gb_seconds_usd, stopped.gb_seconds_usd) == (8 * a_round, 2 * a_round)
    assert alone.requests_usd == 200 * Decimal("0.0000002")
