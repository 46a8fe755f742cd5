"""Where an asynchronous event ends: dead-letter queue, on-failure or on-success destination (SQS and SNS of moto).

Formats: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (2026-11-23).
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from typing import Any, Protocol

from embedded.aws.environment import Outcome
from embedded.aws.functions import Function
from embedded.aws.report import iso_time
from embedded.aws.upstream import Answer, Upstream

_ZERO = "Function not invoked. Function is configured with zero reserved concurrent executions"


class AsyncEvent(Protocol):
    """What is told about an event."""

    request_id: str
    payload: bytes
    runs: int


class Mailer:
    """Sends the end of an event to whoever the function names; ``undelivered`` counts what could not be sent."""

    def __init__(self, upstream: Upstream) -> None:
        self.undelivered = 0
        self.dropped = 0
        self._upstream = upstream

    def succeeded(self, function: Function, event: AsyncEvent, outcome: Outcome) -> None:
        """Record for the on-success destination, if there is one."""
        if function.rules.on_success:
            self._send(function.rules.on_success, _record(function, event, "Success", outcome), {})

    def failed(self, function: Function, event: AsyncEvent, condition: str, outcome: Outcome | None) -> None:
        """Event to the dead-letter queue and record to the on-failure destination; with neither the event is lost, as
        on AWS.
        """
        rules = function.rules
        if rules.dead_letter:
            attributes = _dead_letter_attributes(event, condition, outcome)
            self._send(rules.dead_letter, event.payload.decode(), attributes)
        if rules.on_failure:
            self._send(rules.on_failure, _record(function, event, condition, outcome), {})
        if not rules.dead_letter and not rules.on_failure:
            self.dropped += 1

    def _send(self, arn: str, body: str, attributes: dict[str, tuple[str, str]]) -> None:
        try:
            answer = self._post(arn, body, attributes)
            problem = "" if answer.status == 200 else f"{answer.status} {answer.body[:300]!r}"
        except (OSError, http.client.HTTPException, ValueError) as failure:
            problem = str(failure)
        if problem:
            self.undelivered += 1
            sys.stderr.write(f"asynchronous record not delivered to {arn}: {problem}\n")

    def _post(self, arn: str, body: str, attributes: dict[str, tuple[str, str]]) -> Answer:
        _, _, service, region, account, resource = arn.split(":", 5)
        if service == "sqs":
            members: dict[str, Any] = {"QueueUrl": f"http://127.0.0.1/{account}/{resource}", "MessageBody": body}
            members["MessageAttributes"] = {
                name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()
            }
            return self._upstream.target("sqs", region, "AmazonSQS.SendMessage", members)
        if service == "sns":
            query = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": arn, "Message": body}
            for number, (name, (kind, value)) in enumerate(attributes.items(), 1):
                entry = f"MessageAttributes.entry.{number}"
                query |= {f"{entry}.Name": name, f"{entry}.Value.DataType": kind, f"{entry}.Value.StringValue": value}
            return self._upstream.query("sns", region, query)
        raise ValueError(f"only SQS and SNS targets work locally, not {service}")


def _dead_letter_attributes(event: AsyncEvent, condition: str, outcome: Outcome | None) -> dict[str, tuple[str, str]]:
    if outcome:
        code, message = "200", outcome.error_message()
    else:
        code, message = "429", _ZERO if condition == "ZeroReservedConcurrency" else "Rate Exceeded."
    return {
        "RequestID": ("String", event.request_id),
        "ErrorCode": ("Number", code),
        "ErrorMessage": ("String", message[:1024] or "Unhandled"),
    }


def _record(function: Function, event: AsyncEvent, condition: str, outcome: Outcome | None) -> str:
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso_time(time.time() * 1000),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{function.arn}:{function.version}" if function.version == "$LATEST" else function.arn,
            "condition": condition,
            "approximateInvokeCount": event.runs,
        },
        "requestPayload": json.loads(event.payload),
    }
    if outcome:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": function.version}
        if outcome.function_error:
            context["functionError"] = outcome.function_error
        record["responseContext"] = context
        record["responsePayload"] = json.loads(outcome.payload or b"null")
    return json.dumps(record)
