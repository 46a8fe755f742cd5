"""Logging: one readable line per event on standard error, with the request or task it belongs to."""

from typing import Any


def logging_config(*, debug: bool) -> dict[str, Any]:
    """The `LOGGING` setting."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"origin": {"()": "core.logs.OriginFilter"}},
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(origin)s] %(message)s"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["origin"]},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.db.backends": {"level": "INFO"},
            "botocore": {"level": "WARNING"},
            "weasyprint.progress": {"level": "WARNING"},  # it tells of every page
            "pypdf": {"level": "ERROR"},  # it warns of every blemish of a carrier's PDF
            "core": {"level": "DEBUG" if debug else "INFO"},
        },
    }
