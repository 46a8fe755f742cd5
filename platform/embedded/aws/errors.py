"""Answers of the Lambda API that are not a result."""

from __future__ import annotations

import json

SYNC_LIMIT = 6_291_556
"""Bytes of a synchronous request or response (AWS Lambda quotas, 2026-11-23)."""
ASYNC_LIMIT = 1_048_576
"""Bytes of an asynchronous request (AWS Lambda quotas, 2026-11-23)."""


class ApiError(Exception):
    """One error answer: HTTP status, AWS error type, message and, for throttles, the reason."""

    def __init__(self, status: int, kind: str, message: str, reason: str = "", retry_after: int | None = None) -> None:
        super().__init__(f"{kind}: {message}")
        self.status = status
        self.kind = kind
        self.message = message
        self.reason = reason
        self.retry_after = retry_after

    def body(self) -> bytes:
        """The JSON body as the Lambda API writes it."""
        members = {"Type": "User" if self.status < 500 else "Service", "message": self.message}
        if self.reason:
            members["Reason"] = self.reason
        if self.retry_after is not None:
            members["retryAfterSeconds"] = str(self.retry_after)
        return json.dumps(members).encode()

    def headers(self) -> dict[str, str]:
        """Headers that carry the error type and, for throttles, when to come back."""
        headers = {"x-amzn-ErrorType": self.kind, "Content-Type": "application/json"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers


def throttled(reason: str, retry_after: int = 1) -> ApiError:
    """429 with one of AWS's throttle reasons; ``retry_after`` in seconds."""
    return ApiError(429, "TooManyRequestsException", "Rate Exceeded.", reason=reason, retry_after=retry_after)


def invalid(message: str) -> ApiError:
    """400 for a parameter that AWS would refuse."""
    return ApiError(400, "InvalidParameterValueException", message)


def too_large(limit: int) -> ApiError:
    """413 for a request body over the limit."""
    return ApiError(
        413, "RequestTooLargeException", f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
    )
