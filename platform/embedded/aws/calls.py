"""One call to the Lambda API as it came in, and how services and regions are read off a request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import unquote

from embedded.aws.errors import ApiError

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
_LAMBDA_PATH = re.compile(r"/20\d\d-\d\d-\d\d/(functions|layers|tags|event-source-mappings|account-settings)(/|\?|$)")


@dataclass(frozen=True)
class Call:
    """``path`` includes the query; the body is complete."""

    method: str
    path: str
    region: str
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The body's members; 400 when it is not a JSON object."""
        try:
            members = json.loads(self.body or b"{}")
        except ValueError:
            members = None
        if not isinstance(members, dict):
            raise ApiError(400, "InvalidRequestContentException", "Could not parse request body into json")
        return members


def lambda_region(headers: Message, path: str, default: str) -> str | None:
    """The region of a Lambda request, None when the request is for another service."""
    scope = _SCOPE.search(headers.get("Authorization") or "")
    if scope:
        return scope[1] if scope[2] == "lambda" else None
    return default if _LAMBDA_PATH.match(unquote(path)) else None
