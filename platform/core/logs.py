"""The id of the request or task that a log line and an audit entry belong to."""

import logging
from contextvars import ContextVar

_origin: ContextVar[str] = ContextVar("origin", default="-")


def current_origin() -> str:
    return _origin.get()


def set_origin(value: str) -> None:
    _origin.set(value)


class OriginFilter(logging.Filter):
    """Puts the origin on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.origin = _origin.get()
        return True
