"""Telling the workers that there is something to do. Losing the message costs two seconds, nothing else."""

from __future__ import annotations

import logging
import threading

from celery import current_app
from kombu.exceptions import OperationalError as BrokerDown

logger = logging.getLogger(__name__)

_sending = threading.Lock()


def wake() -> None:
    """Ask a worker's runner to look now. Returns at once: a broker that is away, or hangs, must hold nobody up."""
    threading.Thread(target=_send, name="wake-runners", daemon=True).start()


def _send() -> None:
    if not _sending.acquire(blocking=False):
        return  # one message under way is enough: whoever gets it looks at everything
    try:
        # By name: the tasks module imports this room, not the other way round.
        current_app.send_task("services_registry.wake_runner", retry=False, expires=10)
    except (BrokerDown, OSError) as error:
        logger.warning("broker not reached, the runners will look by themselves error=%s", error)
    finally:
        _sending.release()
