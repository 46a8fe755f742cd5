"""Our signature is botocore's, byte by byte."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from core.aws.signature import signed_headers

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)


def by_botocore(credentials: ReadOnlyCredentials, address: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    request = AWSRequest("POST", address, headers, body)
    with patch.object(auth, "get_current_datetime", return_value=NOW):  # only the clock
        auth.SigV4Auth(credentials, "lambda", "eu-central-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@settings(max_examples=60, deadline=None)
@given(
    name=st.text("abcXYZ019-_:$é ", min_size=1, max_size=40),
    qualifier=st.text("abc$LATEST-1 +", max_size=12),
    body=st.binary(max_size=300),
)
def test_the_signature_is_the_same(token: str | None, name: str, qualifier: str, body: bytes) -> None:
    credentials: Any = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    path = f"/2015-03-31/functions/{quote(name, safe='')}/invocations"
    query = f"Qualifier={quote(qualifier, safe='')}" if qualifier else ""
    headers = {"content-type": "application/json", "x-amz-log-type": "Tail"}
    ours = signed_headers(
        credentials, host="localhost:4566", path=path, query=query, headers=headers, body=body,
        region="eu-central-1", service="lambda", now=NOW,
    )  # fmt: skip
    address = f"http://localhost:4566{path}" + (f"?{query}" if query else "")
    theirs = by_botocore(credentials, address, headers, body)
    assert ours["authorization"] == theirs["authorization"]
    assert ours.get("x-amz-security-token") == theirs.get("x-amz-security-token")
