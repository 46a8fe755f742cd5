"""Asking a worker for the next step. A lost message costs nothing: every sweep asks for both again."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError as BrokerDown

logger = logging.getLogger(__name__)
EXPIRES_S = 600


def fetch_later(connection_id: int) -> None:
    """Fetch what waits."""
    _send("shipments.fetch_waiting", connection_id)


def clean_later(connection_id: int) -> None:
    """Delete or move on the server what is kept."""
    _send("shipments.clean_fetched", connection_id)


def _send(task: str, connection_id: int) -> None:
    # By name: the tasks module imports this room, not the other way round.
    try:
        current_app.send_task(task, [connection_id], retry=False, expires=EXPIRES_S)
    except (BrokerDown, OSError) as error:
        logger.warning("broker not reached, the next sweep asks again task=%s error=%s", task, error)
