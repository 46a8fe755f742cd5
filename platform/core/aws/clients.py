"""One boto3 client per service, region and purpose, shared by all threads, every call with a time-out.

The endpoint is AWS's own, or `settings.AWS_ENDPOINT_URL` (the local AWS of the embedded stack).
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from django.conf import settings

from core.aws.bucket import TokenBucket
from core.aws.errors import translated

POOL_SIZE = 64
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 30
# AWS Lambda quotas, read 2026-11-23: GetFunction 100/s; all other management calls share 15/s per account and region.
_BUCKETS = {"get_function": TokenBucket(100, 100)}
_SHARED_BUCKET = TokenBucket(settings.AWS_MANAGEMENT_RATE, settings.AWS_MANAGEMENT_RATE)
_making = threading.Lock()


@lru_cache(maxsize=64)
def _client(service: str, region: str, endpoint: str, read_timeout_s: int, attempts: int) -> Any:
    session = boto3.session.Session()
    return session.client(
        service,  # type: ignore[call-overload]  # the stubs list services as literals
        region_name=region,
        endpoint_url=endpoint or None,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            max_pool_connections=POOL_SIZE,
            retries={"mode": "standard", "total_max_attempts": attempts},
            tcp_keepalive=True,
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )


def boto_client(service: str, region: str = "", *, read_timeout_s: int = READ_TIMEOUT_S, attempts: int = 3) -> Any:
    """The shared raw client; only for use inside `core.aws`, where errors are translated.

    Args:
        attempts: how often botocore may send a request in total; 1 for calls that must not be sent twice.
    """
    with _making:  # making boto3 clients is not thread-safe
        return _client(service, region or settings.AWS_REGION, settings.AWS_ENDPOINT_URL, read_timeout_s, attempts)


class ManagementClient:
    """A boto3 client whose Lambda calls wait for the token bucket and whose errors are ours."""

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._client = boto_client(service, region)

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            if self._service == "lambda":
                _BUCKETS.get(name, _SHARED_BUCKET).take()
            with translated(f"{self._service} {name}"):
                return operation(**arguments)

        return call


def management_client(service: str, region: str = "") -> ManagementClient:
    """For the control plane: rate-limited, retried by botocore, raising only `AwsError`."""
    return ManagementClient(service, region)


def check_aws() -> str:
    """Ask for one function. Returns a sentence, or raises `AwsError` within two seconds or so.

    Raises:
        AwsError: AWS cannot be reached or refuses us.
    """
    client = boto_client("lambda", read_timeout_s=2, attempts=1)
    with translated("lambda list_functions"):
        client.list_functions(MaxItems=1)
    return "answers"
