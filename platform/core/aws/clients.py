"""One boto3 client per service, region, role and purpose, shared by all threads, every call with a time-out.

The endpoint is AWS's own, or `settings.AWS_ENDPOINT_URL` (the local AWS of the embedded stack). Management calls of
Lambda and questions to CloudWatch metrics wait for a token of the bucket that all processes share, botocore's own
repetitions included. Every request is counted (`core.aws.meter`).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.session import get_session
from django.conf import settings

from core.aws import meter
from core.aws.bucket import SharedBucket
from core.aws.errors import translated

POOL_SIZE = 256
"""Connections kept for the next call. More calls at once than this open connections that are then thrown away."""
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 30
MANAGEMENT_LIMIT = 15
"""Calls a second that AWS allows an account and region, all but GetFunction together (AWS Lambda quotas, 2026-11-23)."""
GET_FUNCTION_RATE, GET_FUNCTION_BURST = 80, 20  # of the 100 a second that AWS allows
PACED = {"lambda", "cloudwatch"}
ROLE_SESSION = "shipment-platform"  # the name under which CloudTrail shows what we did with an assumed role
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Access:
    """With whose rights a call is made: a role of another account, or, with neither, our own credentials."""

    role_arn: str = ""
    external_id: str = ""


OWN = Access()


@lru_cache(maxsize=64)
def _session(access: Access = OWN) -> boto3.session.Session:
    """One for all clients: credentials are fetched and refreshed once, service descriptions are read once."""
    if not access.role_arn:
        return boto3.session.Session()
    own = _session()

    def sts(service: str, **keys: Any) -> Any:
        client = own.client(
            "sts", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None,
            config=Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S), **keys,
        )  # fmt: skip
        meter.watch(client, "sts")
        return client

    asked = {"RoleSessionName": ROLE_SESSION} | ({"ExternalId": access.external_id} if access.external_id else {})
    fetcher = AssumeRoleCredentialFetcher(sts, own.get_credentials(), access.role_arn, extra_args=asked)
    session = get_session()
    session._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # the only way to hand them in
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.session.Session(botocore_session=session)


@lru_cache(maxsize=256)
def _client(
    service: str, region: str, endpoint: str, read_timeout_s: int, attempts: int, paced: bool, access: Access
) -> Any:
    client = _session(access).client(
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
            lambda_bucket(event_name.rpartition(".")[2], region, access).take()

        client.meta.events.register("before-send", wait_for_a_token)
    meter.watch(client, service)  # behind the token: what was not sent does not count
    return client


def boto_client(
    service: str,
    region: str = "",
    *,
    read_timeout_s: int = READ_TIMEOUT_S,
    attempts: int = 3,
    paced: bool = False,
    access: Access = OWN,
) -> Any:
    """The shared raw client; only for use inside `core.aws`, where errors are translated.

    Args:
        attempts: how often botocore may send a request in total; 1 for calls that must not be sent twice.
        paced: every request waits for a token of the Lambda management bucket.
    """
    with _making:  # making boto3 clients is not thread-safe
        return _client(
            service, region or settings.AWS_REGION, settings.AWS_ENDPOINT_URL, read_timeout_s, attempts, paced, access
        )


def lambda_bucket(operation: str, region: str, access: Access = OWN) -> SharedBucket:
    """The bucket that pays for a management call of Lambda; GetFunction has one of its own, as at AWS.

    AWS counts by account and region; an account is told apart by the role that leads there.
    """
    place = ":".join(part for part in (region, access.role_arn) if part)
    return _bucket("get-function" if operation == "GetFunction" else "management", place)


@lru_cache(maxsize=64)
def _bucket(kind: str, place: str) -> SharedBucket:
    if kind == "get-function":
        return SharedBucket(f"{kind}:{place}", GET_FUNCTION_RATE, GET_FUNCTION_BURST)
    rate = settings.AWS_MANAGEMENT_RATE
    # A short burst may use half of what AWS allows beyond our rate; the other half stays for deployments.
    return SharedBucket(f"{kind}:{place}", rate, max(1, (MANAGEMENT_LIMIT - rate) // 2))


class ManagementClient:
    """A boto3 client whose Lambda calls wait for the token bucket and whose errors are ours."""

    def __init__(self, service: str, region: str, access: Access = OWN) -> None:
        self._service = service
        with translated(f"{service} in {region}"):  # a region that cannot be one is refused here
            self._client = boto_client(service, region, paced=service in PACED, access=access)

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            with translated(f"{self._service} {name}"):
                return operation(**arguments)

        return call


def management_client(service: str, region: str = "", access: Access = OWN) -> ManagementClient:
    """For the control plane: rate-limited, retried by botocore, raising only `AwsError`."""
    return ManagementClient(service, region, access)


def account_number(access: Access = OWN) -> str:
    """The 12-digit id of the account that `access` leads to.

    Raises:
        AwsError: AWS cannot be reached, or does not let us in.
    """
    return str(management_client("sts", access=access).get_caller_identity()["Account"])


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
