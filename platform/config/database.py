"""`DATABASE_URL` to Django's dictionary."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def database_from_url(url: str) -> dict[str, Any]:
    """Settings of a PostgreSQL database.

    `postgresql://user:password@host:port/name`, or `postgresql:///name?host=/socket/folder&user=name` for a socket.

    Raises:
        ImproperlyConfigured: another scheme, no database name, or a host or port that cannot be.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its message may hold a piece of the password: an unescaped / or @ in it ends up in the port
        raise ImproperlyConfigured(
            "DATABASE_URL has an impossible host or port; special characters of the password must be %-escaped."
        ) from None
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    name = parts.path.lstrip("/")
    if parts.scheme not in {"postgresql", "postgres"} or not name:
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(name),
        "USER": unquote(parts.username or query.get("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or query.get("host", ""),
        "PORT": str(port or ""),
        # A connection that died with its server is replaced when it is taken from the pool, not met as an error by a page.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # Bounds the connections of threaded servers; without it many threads meet "too many clients".
            "pool": {"min_size": 1, "max_size": 12, "timeout": 10, "max_idle": 120},
            "connect_timeout": 5,
            "options": "-c statement_timeout=60000 -c jit=off",
        },
    }
