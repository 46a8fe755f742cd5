"""One signed HTTP request to Lambda's Invoke, with boto's own credentials, signature and connections.

`client.invoke` spends most of its time on models, hooks and endpoint rules; a batch makes thousands of the same call.
What can go wrong is raised as botocore's own exceptions, so that `core.aws.errors` translates both ways alike.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, ConnectionClosedError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from core.aws.clients import CONNECT_TIMEOUT_S, POOL_SIZE, boto_client

JSON_TYPE = "application/json"
VERSION_PATH = "/2015-03-31/functions/"  # Lambda's API version is part of every path (AWS Lambda API reference)


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful HTTP answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


# A long invocation is a silent connection: without keep-alive a gateway on the way may drop it.
_SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


@lru_cache(maxsize=64)
def _session(endpoint: str, read_timeout_s: int) -> URLLib3Session:
    return URLLib3Session(
        timeout=(CONNECT_TIMEOUT_S, read_timeout_s),  # type: ignore[arg-type]  # the stub knows one number only
        max_pool_connections=POOL_SIZE,
        socket_options=_SOCKET_OPTIONS,  # type: ignore[arg-type]  # the stub says strings, urllib3 wants these
        proxies=get_environ_proxies(endpoint),
    )


def post_invoke(
    function_name: str,
    payload: bytes,
    *,
    region: str,
    qualifier: str,
    headers: dict[str, str],
    read_timeout_s: int,
) -> Reply:
    """Send one invocation, exactly once.

    Raises:
        botocore.exceptions.ClientError: AWS answered with an error (the function was not run, or is not known to be).
        botocore.exceptions.BotoCoreError: no connection, no answer, a broken answer, or no credentials.
    """
    client = boto_client("lambda", region)
    address = f"{client.meta.endpoint_url}{VERSION_PATH}{quote(function_name, safe='')}/invocations"
    if qualifier:
        address += f"?Qualifier={quote(qualifier, safe='')}"
    request = AWSRequest("POST", address, {"Content-Type": JSON_TYPE, **headers}, payload)
    # The client's own credentials refresh themselves; the frozen copy cannot change between key and token.
    credentials = client._request_signer._credentials
    if credentials is None:
        raise NoCredentialsError
    SigV4Auth(credentials.get_frozen_credentials(), "lambda", client.meta.region_name).add_auth(request)
    answer = _session(client.meta.endpoint_url, read_timeout_s).send(request.prepare())
    found = {name.lower(): value for name, value in answer.headers.items()}
    if found.get("content-length", "").isdigit() and int(found["content-length"]) != len(answer.content):
        raise ConnectionClosedError(error="the answer was cut off", request=request, endpoint_url=address)
    if answer.status_code >= 300:
        raise _error(answer.status_code, found, answer.content)
    return Reply(answer.status_code, found, answer.content)


def _error(status: int, headers: dict[str, str], body: bytes) -> ClientError:
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
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return ClientError(parsed, "Invoke")
