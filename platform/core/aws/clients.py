"""One boto3 client per service, region and purpose, shared by all threads, every call with a time-out.

The endpoint is AWS's own, or `settings.AWS_ENDPOINT_URL` (the local AWS of the embedded stack). Management calls of
Lambda wait for a token of the bucket that all processes share, botocore's own repetitions included.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from django.conf import settings

from core.aws.bucket import SharedBucket
from core.aws.errors import translated

POOL_SIZE = 256
"""Connections kept for the next call. More calls at once than this open connections that are then thrown away."""
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 30
MANAGEMENT_LIMIT = 15
"""Calls a second that AWS allows an account and region, all but GetFunction together (AWS Lambda quotas, 2026-11-23)."""
GET_FUNCTION_RATE, GET_FUNCTION_BURST = 80, 20  # of the 100 a second that AWS allows
_making = threading.Lock()


@lru_cache(maxsize=1)
def _session() -> boto3.session.Session:
    """One for all clients: credentials are fetched and refreshed once, service descriptions are read once."""
    return boto3.session.Session()


@lru_cache(maxsize=256)
def _client(service: str, region: str, endpoint: str, read_timeout_s: int, attempts: int, paced: bool) -> Any:
    client = _session().client(
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
    if paced:

        def wait_for_a_token(event_name: str, **_event: Any) -> None:
            lambda_bucket(event_name.rpartition(".")[2], region).take()

        client.meta.events.register("before-send", wait_for_a_token)
    return client


def boto_client(
    service: str, region: str = "", *, read_timeout_s: int = READ_TIMEOUT_S, attempts: int = 3, paced: bool = False
) -> Any:
    """The shared raw client; only for use inside `core.aws`, where errors are translated.

    Args:
        attempts: how often botocore may send a request in total; 1 for calls that must not be sent twice.
        paced: every request waits for a token of the Lambda management bucket.
    """
    with _making:  # making boto3 clients is not thread-safe
        return _client(
            service, region or settings.AWS_REGION, settings.AWS_ENDPOINT_URL, read_timeout_s, attempts, paced
        )


def lambda_bucket(operation: str, region: str) -> SharedBucket:
    """The bucket that pays for a management call of Lambda; GetFunction has one of its own, as at AWS."""
    return _bucket("get-function" if operation == "GetFunction" else "management", region)


@lru_cache(maxsize=64)
def _bucket(kind: str, region: str) -> SharedBucket:
    if kind == "get-function":
        return SharedBucket(f"{kind}:{region}", GET_FUNCTION_RATE, GET_FUNCTION_BURST)
    rate = settings.AWS_MANAGEMENT_RATE
    # A short burst may use half of what AWS allows beyond our rate; the other half stays for deployments.
    return SharedBucket(f"{kind}:{region}", rate, max(1, (MANAGEMENT_LIMIT - rate) // 2))


class ManagementClient:
    """A boto3 client whose Lambda calls wait for the token bucket and whose errors are ours."""

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._client = boto_client(service, region, paced=service == "lambda")

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
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
    lambda_bucket("ListFunctions", settings.AWS_REGION).book()  # counts, but must not wait behind a long sync
    with translated("lambda list_functions"):
        client.list_functions(MaxItems=1)
    return "answers"
