"""AWS Signature Version 4 for one kind of request: a POST with a body in memory.

The steps and names are those of "Create a signed AWS API request" (AWS documentation, read 2026-11-23). A test holds the
result to botocore's, byte by byte; this does the same in a tenth of the time, because it handles nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Protocol


class Credentials(Protocol):
    """What botocore's frozen credentials have; `token` is None for long-lived keys."""

    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def token(self) -> str | None: ...


@lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signed_headers(
    credentials: Credentials,
    *,
    host: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """The headers of a POST, with date, token and signature.

    Args:
        host: with its port, unless that is the scheme's own.
        path: as it is sent, percent-encoded once; it is encoded once more for the signature, as every service but S3 wants.
        query: sorted and percent-encoded, without the question mark.
        headers: names in lower case, values without surrounding space; all of them are signed.
        now: in UTC; AWS refuses what is more than five minutes off.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    wanted = {"host": host, "x-amz-date": stamp, **headers}
    if credentials.token:
        wanted["x-amz-security-token"] = credentials.token
    names = sorted(wanted)
    listed = ";".join(names)
    lines = [f"{name}:{wanted[name]}" for name in names]
    content = hashlib.sha256(body).hexdigest()
    canonical = "\n".join(["POST", path.replace("%", "%25"), query, *lines, "", listed, content])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = _signing_key(credentials.secret_key, stamp[:8], region, service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    wanted["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
    )
    return wanted
