"""What the platform itself cannot work without: the database and Valkey."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import connection

from core import slots

_SECONDS = 2


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "answers"


def valkey() -> str:
    """Asks the broker's server itself, with a time-out of its own."""
    address = settings.VALKEY_URL.replace("unix:///", "unix:/").replace("unix:/", "unix:///")
    client = redis.Redis.from_url(address, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
    try:
        client.ping()
    finally:
        client.close()
    return "answers"


slots.health_checks.register(
    slots.HealthCheck(name="database", check=database),
    slots.HealthCheck(name="valkey", check=valkey),
)
