"""Time-outs came in: their functions are looked at within seconds, not at the next hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from functools import partial

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerDown

logger = logging.getLogger(__name__)
TASK = "services_registry.evaluate_timeouts"
SOON_S = 5
"""However many time-outs come in, a function is looked at once in so many seconds, and always after the last one."""


def look_soon(function_ids: Iterable[int]) -> None:
    """Ask for it when the transaction is done. Without a broker the hourly round finds it."""
    wanted = sorted(set(function_ids))
    if wanted:
        transaction.on_commit(partial(_ask, wanted))


def _ask(wanted: list[int]) -> None:
    """The mark lasts until the task runs: what comes in meanwhile is seen by that task, what comes later asks again."""
    new = [pk for pk in wanted if cache.add(f"timeouts-looked-at:{pk}", 1, SOON_S)]
    if new:
        threading.Thread(target=_send, args=(new,), name="look-at-timeouts", daemon=True).start()


def _send(function_ids: list[int]) -> None:
    """Returns at once for the caller: a broker that is away, or hangs, must hold nobody up."""
    try:
        current_app.send_task(TASK, [function_ids], countdown=SOON_S, retry=False, expires=600)
    except (BrokerDown, OSError) as error:
        logger.warning("broker not reached, the hourly round will look error=%s", error)
