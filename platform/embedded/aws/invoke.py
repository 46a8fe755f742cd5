"""The Invoke operation: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (2026-11-23)."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from embedded.aws.async_events import Event
from embedded.aws.errors import ASYNC_LIMIT, SYNC_LIMIT, ApiError, invalid, too_large
from embedded.aws.functions import Function, parse_name
from embedded.aws.upstream import Answer

if TYPE_CHECKING:
    from embedded.aws.front import FrontHandler
    from embedded.aws.service import Service


def answer(service: Service, handler: FrontHandler, name_text: str, region: str) -> Answer | None:
    """Check the request as AWS does, then run the function, queue the event, or do nothing (DryRun). None when a fault
    keeps the caller from an answer.
    """
    kind = handler.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    limit = ASYNC_LIMIT if kind == "Event" else SYNC_LIMIT
    try:
        payload = handler.read_body(limit)
    except ApiError as refusal:
        raise too_large(limit) if refusal.status == 413 else refusal from None
    name = parse_name(name_text)
    region = name.region or region
    qualifier = name.qualifier or parse_qs(urlsplit(handler.path).query).get("Qualifier", [""])[0]
    function = service.directory.resolve(region, name.name, qualifier)
    payload = payload or b"{}"
    _check_json(payload)
    request_id = str(uuid.uuid4())
    if kind == "DryRun":
        return Answer(204, headers={"x-amzn-RequestId": request_id})
    if kind not in ("RequestResponse", "Event"):
        raise invalid(f"InvocationType must be RequestResponse, Event or DryRun, not {kind}")
    fault = service.faults.strikes(name.name)
    mode = fault.mode if fault else "none"
    if fault and mode == "throttle":
        raise fault.refusal()
    if mode == "down":
        handler.close_connection = True
        return None
    if kind == "Event":
        service.events.put(Event(region, name.name, qualifier, request_id, payload, time.time()))
        done = Answer(202, headers={"x-amzn-RequestId": request_id})
    else:
        done = _run(service, handler, function, request_id, payload)
    if mode == "cut":
        handler.break_off(done)
        return None
    return done


def _run(service: Service, handler: FrontHandler, function: Function, request_id: str, payload: bytes) -> Answer:
    context = handler.headers.get("X-Amz-Client-Context") or ""
    outcome = service.executor.run(function, request_id, payload, _client_context(context))
    headers = {
        "x-amzn-RequestId": request_id,
        "Content-Type": "application/json",
        "X-Amz-Executed-Version": function.version,
    }
    if outcome.function_error:
        headers["X-Amz-Function-Error"] = outcome.function_error
    if handler.headers.get("X-Amz-Log-Type") == "Tail":
        headers["X-Amz-Log-Result"] = base64.b64encode(outcome.tail).decode()
    return Answer(200, outcome.payload, headers)


def _check_json(payload: bytes) -> None:
    try:
        json.loads(payload.decode())
    except (ValueError, RecursionError) as problem:
        message = f"Could not parse request body into json: {problem}"
        raise ApiError(400, "InvalidRequestContentException", message) from None


def _client_context(text: str) -> str:
    """The header's base64 as one line of JSON; 400 when it is neither."""
    if not text:
        return ""
    try:
        return json.dumps(json.loads(base64.b64decode(text, validate=True)))
    except ValueError:
        raise ApiError(
            400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON"
        ) from None
