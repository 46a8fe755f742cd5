"""A connection as the function takes it (batch envelope, version 1)."""

from __future__ import annotations

from typing import Any

from shipments.models import CarrierConnection


def connection_of(connection: CarrierConnection) -> dict[str, Any]:
    """With its secrets: made at the moment of a call, never stored or logged."""
    return {
        "protocol": connection.protocol,
        "host": connection.host,
        "port": connection.port,
        "username": connection.username,
        "password": connection.password,
        "private_key": connection.private_key or None,
        "directory": connection.directory,
        "pattern": connection.pattern,
        "passive": connection.passive,
        "encoding": connection.encoding or None,
        "tls": {"reuse_session": connection.reuse_tls_session, "ca_pem": connection.ca_pem or None},
        "host_key": connection.host_key or None,
        "timeout_s": connection.timeout_s,
    }
