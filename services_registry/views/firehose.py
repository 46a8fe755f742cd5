"""The address that Amazon Data Firehose delivers to. No person comes here: a stream shows its key."""

from __future__ import annotations

import logging
import time

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from services_registry.telemetry.doors.firehose import MOST_BYTES, RefusedDelivery, let_in, take

logger = logging.getLogger(__name__)


@login_not_required
@csrf_exempt  # no session is used; the access key is
@require_POST
def firehose(request: HttpRequest) -> JsonResponse:
    """Take one delivery. Everything but 200 makes Firehose send it again."""
    request_id = request.headers.get("X-Amz-Firehose-Request-Id", "")[:100]
    try:
        key = let_in(request.headers.get("X-Amz-Firehose-Access-Key", ""))
        request_id, counts = take(_body(request), packed=request.headers.get("Content-Encoding", "") == "gzip", key=key)
    except RefusedDelivery as error:
        logger.warning("firehose delivery refused request=%s status=%s reason=%s", request_id, error.status, error)
        return _answer(request_id, error.status, str(error))
    except DatabaseError:
        logger.exception("firehose delivery not stored request=%s", request_id)
        return _answer(request_id, 503, "The delivery could not be stored. Send it again.")
    logger.info(
        "firehose delivery stored request=%s new=%s known=%s rejected=%s",
        request_id, counts.new, counts.known, counts.rejected,
    )  # fmt: skip
    return _answer(request_id, 200)


def _body(request: HttpRequest) -> bytes:
    """Read here, not by Django, whose limit is meant for forms."""
    try:
        body = request.read(MOST_BYTES + 1)
    except UnreadablePostError as error:
        raise RefusedDelivery(400, "The body broke off.") from error
    if len(body) > MOST_BYTES:
        raise RefusedDelivery(413, f"The body is larger than {MOST_BYTES >> 20} MB.")
    return body


def _answer(request_id: str, status: int, message: str = "") -> JsonResponse:
    answer: dict[str, object] = {"requestId": request_id, "timestamp": int(time.time() * 1000)}
    if message:
        answer["errorMessage"] = message
    return JsonResponse(answer, status=status)
