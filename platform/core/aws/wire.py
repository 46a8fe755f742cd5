"""One signed HTTP request to Lambda's Invoke, with boto's endpoint and credentials.

`client.invoke` spends most of its time on models, hooks and endpoint rules; a batch makes thousands of the same call
(decision 0005). Everything else goes through boto3.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import ClientError, NoCredentialsError

from core.aws import meter
from core.aws.clients import POOL_SIZE, boto_client
from core.aws.connections import Connections, Reply
from core.aws.signature import signed_headers

VERSION_PATH = "/2015-03-31/functions/"  # Lambda's API version is part of every path (AWS Lambda API reference)


@lru_cache(maxsize=16)
def _connections(endpoint: str) -> Connections:
    return Connections(endpoint, most=POOL_SIZE)


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
    target = f"{path}?{query}" if query else path
    meter.count("lambda", "Invoke")
    reply = _connections(endpoint).post(target, payload, signed, read_timeout_s=read_timeout_s)
    if reply.status >= 300:
        raise _error(reply.status, reply.headers, reply.body)
    return reply


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
