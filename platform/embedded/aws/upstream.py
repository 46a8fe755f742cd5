"""Calls of our own to moto's server: signed for show (moto reads only the service and the region of a signature)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

TIMEOUT_S = 60


def authorization(service: str, region: str) -> str:
    """An Authorization header that names service and region."""
    scope = f"{datetime.now(UTC):%Y%m%d}/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential=local/{scope}, SignedHeaders=host, Signature=0"


@dataclass(frozen=True)
class Answer:
    """A complete answer; header names keep the case they came in."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Upstream:
    """The inner server. Every call opens a connection: 0.3 ms, and no stale one to guess about."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self, timeout: float = TIMEOUT_S) -> http.client.HTTPConnection:
        """A fresh connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        *,
        service: str,
        region: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call, answer in memory; OSError or HTTPException when moto is not there."""
        connection = self.connect()
        try:
            signed = {"Authorization": authorization(service, region), **(headers or {})}
            connection.request(method, path, body=body, headers=signed)
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.headers.items()))
        finally:
            connection.close()

    def target(self, service: str, region: str, target: str, members: Mapping[str, Any]) -> Answer:
        """A JSON-protocol call such as ``AmazonSQS.SendMessage``."""
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
        body = json.dumps(members).encode()
        return self.request("POST", "/", service=service, region=region, body=body, headers=headers)

    def query(self, service: str, region: str, members: Mapping[str, str]) -> Answer:
        """A query-protocol call such as IAM's CreateRole."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(members).encode()
        return self.request("POST", "/", service=service, region=region, body=body, headers=headers)
