"""Calling a Lambda function: exactly one request, and exactly one of six outcomes."""

from __future__ import annotations

import base64
import json
import logging
import time
from dataclasses import dataclass
from typing import Literal

from core.aws.connections import Reply
from core.aws.errors import AwsRejected, AwsThrottled, AwsUnreachable, translated
from core.aws.wire import post_invoke

logger = logging.getLogger(__name__)

SUCCEEDED = "succeeded"
FUNCTION_ERROR = "function_error"
TIMED_OUT = "timed_out"
THROTTLED = "throttled"
UNREACHABLE = "unreachable"
REJECTED = "rejected"

SYNC_PAYLOAD_LIMIT = 6_291_556
"""Bytes of a synchronous request or answer (AWS Lambda quotas, read 2026-11-23)."""
MARGIN_S = 10
"""How much longer than the function's own time-out we wait: AWS then has ended it and says so."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What came of one call. `sent` is False only when it is certain that the function was not started."""

    outcome: str
    sent: bool
    request_id: str = ""
    payload: bytes = b""
    error_type: str = ""
    error_message: str = ""
    error_stack: str = ""
    log_tail: str = ""
    retry_after: float | None = None
    seconds: float = 0.0


def invoke(
    function_name: str,
    payload: bytes,
    *,
    region: str = "",
    qualifier: str = "",
    timeout_s: int = 900,
    kind: Literal["RequestResponse", "Event"] = "RequestResponse",
) -> Invocation:
    """Call a function once. Never raises for what AWS or the network does; the outcome says it.

    Args:
        payload: a JSON document, at most `SYNC_PAYLOAD_LIMIT` bytes (1 MiB for `Event`).
        timeout_s: the function's own time-out in seconds.
    """
    headers: dict[str, str] = {"x-amz-invocation-type": kind}
    if kind == "RequestResponse":
        headers["x-amz-log-type"] = "Tail"
    started = time.monotonic()
    try:
        with translated(f"invoke {function_name}"):
            reply = post_invoke(
                function_name,
                payload,
                region=region,
                qualifier=qualifier,
                headers=headers,
                read_timeout_s=timeout_s + MARGIN_S,
            )
    except AwsThrottled as error:
        return Invocation(
            THROTTLED,
            False,
            error_type=error.reason or "Throttled",
            error_message=str(error),
            retry_after=error.retry_after,
        )
    except AwsUnreachable as error:
        name = "NoAnswerInTime" if error.timed_out else "Unreachable"
        return Invocation(UNREACHABLE, error.sent, error_type=name, error_message=str(error), seconds=_since(started))
    except AwsRejected as error:
        return Invocation(REJECTED, False, error_type=error.code, error_message=str(error))
    return _answered(reply, _since(started))


def _since(started: float) -> float:
    return time.monotonic() - started


def _answered(reply: Reply, seconds: float) -> Invocation:
    request_id = reply.headers.get("x-amzn-requestid", "")
    tail = _decoded(reply.headers.get("x-amz-log-result"))
    if not reply.headers.get("x-amz-function-error"):
        return Invocation(SUCCEEDED, True, request_id, reply.body, log_tail=tail, seconds=seconds)
    error_type, message, stack = _error_in(reply.body)
    outcome = TIMED_OUT if error_type == "Sandbox.Timedout" or "Task timed out after" in message else FUNCTION_ERROR
    return Invocation(outcome, True, request_id, reply.body, error_type, message, stack, tail, seconds=seconds)


def _error_in(body: bytes) -> tuple[str, str, str]:
    """(type, message, stack) of a function's error document; runtimes differ in what they fill in."""
    try:
        error = json.loads(body)
    except ValueError:
        return "FunctionError", body[:2000].decode(errors="replace"), ""
    if not isinstance(error, dict):
        return "FunctionError", str(error)[:2000], ""
    stack = error.get("stackTrace") or error.get("trace") or []
    lines = [str(line) for line in stack] if isinstance(stack, list) else [str(stack)]
    message = str(error.get("errorMessage") or "the function gave no message")
    return str(error.get("errorType") or "FunctionError"), message, "\n".join(line.rstrip("\n") for line in lines)


def _decoded(tail: str | None) -> str:
    """The last 4 KB of the log; the cut may go through a character."""
    return base64.b64decode(tail).decode(errors="replace") if tail else ""
