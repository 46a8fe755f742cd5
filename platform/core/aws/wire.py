"""One signed HTTP request to Lambda's Invoke, with boto's endpoint and credentials.

`client.invoke` spends most of its time on models, hooks and endpoint rules; a batch makes thousands of the same call
(decision 0005). Everything else goes through boto3.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from urllib3 import exceptions as http

from core.aws.clients import CONNECT_TIMEOUT_S, POOL_SIZE, boto_client
from core.aws.errors import AwsUnreachable
from core.aws.signature import signed_headers

VERSION_PATH = "/2015-03-31/functions/"  # Lambda's API version is part of every path (AWS Lambda API reference)
# A long invocation is a silent connection: without keep-alive a gateway on the way may drop it.
_SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful HTTP answer. Header names are found in any case."""

    status: int
    headers: Any
    body: bytes


@lru_cache(maxsize=16)
def _pool(endpoint: str) -> urllib3.HTTPConnectionPool:
    """The connections to one endpoint, shared by all threads."""
    options: dict[str, Any] = {"maxsize": POOL_SIZE, "socket_options": _SOCKET_OPTIONS, "ca_certs": get_cert_path(True)}
    proxy = get_environ_proxies(endpoint).get(urlsplit(endpoint).scheme)
    manager = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
    return manager.connection_from_url(endpoint)


def post_invoke(
    function_name: str,
    payload: bytes,
    *,
    region: str,
    qualifier: str,
    headers: dict[str, str],
    read_timeout_s: int,
) -> Reply:
    """Send one invocation, exactly once. Header names are lower case.

    Raises:
        AwsUnreachable: no connection (`sent` is False), no answer in time, or one that broke off.
        botocore.exceptions.ClientError: AWS answered with an error.
        botocore.exceptions.NoCredentialsError: there are none.
    """
    client = boto_client("lambda", region)
    # The client's own credentials refresh themselves; the frozen copy cannot change between key and token.
    credentials = client._request_signer._credentials
    if credentials is None:
        raise NoCredentialsError
    endpoint: str = client.meta.endpoint_url
    path = f"{VERSION_PATH}{quote(function_name, safe='')}/invocations"
    query = f"Qualifier={quote(qualifier, safe='')}" if qualifier else ""
    signed = signed_headers(
        credentials.get_frozen_credentials(),
        host=urlsplit(endpoint).netloc,
        path=path,
        query=query,
        headers={"content-type": "application/json", **headers},
        body=payload,
        region=client.meta.region_name,
        service="lambda",
        now=datetime.now(UTC),
    )
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)
    answer = _send(_pool(endpoint), f"{path}?{query}" if query else path, payload, signed, timeout)
    if answer.status >= 300:
        raise _error(answer.status, answer.headers, answer.data)
    return Reply(answer.status, answer.headers, answer.data)


def _send(
    pool: urllib3.HTTPConnectionPool, path: str, body: bytes, headers: dict[str, str], timeout: urllib3.Timeout
) -> Any:
    """The answer with its whole body; urllib3 compares the length with what was announced."""
    try:
        return pool.urlopen(
            "POST", path, body=body, headers=headers, timeout=timeout, retries=False, redirect=False,
            assert_same_host=False,
        )  # fmt: skip
    except (http.NewConnectionError, http.ConnectTimeoutError, http.ProxyError, http.SSLError) as error:
        raise AwsUnreachable(f"invoke: AWS could not be reached ({error}).", sent=False) from error
    except http.ReadTimeoutError as error:
        raise AwsUnreachable("invoke: AWS did not answer in time.", timed_out=True) from error
    except http.HTTPError as error:
        raise AwsUnreachable(f"invoke: the connection to AWS broke ({error}).") from error


def _error(status: int, headers: Any, body: bytes) -> ClientError:
    """As boto would have read it: the code from the header, the words and further members from the body."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        said = {}
    said = said if isinstance(said, dict) else {}
    code = headers.get("x-amzn-errortype", "").partition(":")[0] or str(said.get("__type") or status)
    message = said.get("message") or said.get("Message") or body[:500].decode(errors="replace")
    parsed: Any = {
        **said,
        "Error": {"Code": code, "Message": str(message)},
        "ResponseMetadata": {
            "HTTPStatusCode": status,
            "HTTPHeaders": {name.lower(): value for name, value in headers.items()},
        },
    }
    return ClientError(parsed, "Invoke")
