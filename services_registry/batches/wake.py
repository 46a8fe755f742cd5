"""Telling the workers that there is something to do. Losing the message costs two seconds, nothing else."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError as BrokerDown

logger = logging.getLogger(__name__)


def wake() -> None:
    """Ask a worker's runner to look now. A broker that is away is no reason to fail."""
    try:
        # By name: the tasks module imports this room, not the other way round.
        current_app.send_task("services_registry.wake_runner", retry=False, expires=10)
    except BrokerDown as error:
        logger.warning("broker not reached, the runners will look by themselves error=%s", error)
