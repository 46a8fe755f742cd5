"""`Idempotency-Key`: a request that is sent again, because its answer got lost, is answered again and done once.

The key's row is written in the transaction of the work. Who comes with the same key meanwhile waits for that
transaction, then gets its answer; when it failed, nothing is kept, and the key is free.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import RefusedError
from core.models import KeptAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 120
KEPT = timedelta(days=3)
KEY = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="At most 120 characters. The same request with the same key within three days is done once, and answered "
    "alike; another request with it is refused.",
)
_encode = DjangoJSONEncoder(sort_keys=True, separators=(",", ":")).encode


class KeyReusedError(RefusedError):
    code = "idempotency_key_reused"


def idempotent(method: Callable[..., Response]) -> Callable[..., Response]:
    """For a method of an API view that answers JSON; without the header it is called as it is."""

    @wraps(method)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER, "")
        if not key:
            return method(view, request, *args, **kwargs)
        if len(key) > LONGEST or not key.isprintable():
            words = f"At most {LONGEST} printable characters."
            raise ValidationError({HEADER: [ErrorDetail(words, "bad_idempotency_key")]})
        return _once(key, request, lambda: method(view, request, *args, **kwargs))

    return once


@transaction.atomic
def _once(key: str, request: Request, work: Callable[[], Response]) -> Response:
    said = f"{request.method} {request.path}\n{_encode(request.data)}"
    digest = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()
    person = int(request.user.pk or 0)
    mine = KeptAnswer(user_id=person, key=key, digest=digest)
    KeptAnswer.objects.bulk_create([mine], ignore_conflicts=True)  # waits for another's open transaction
    kept = KeptAnswer.objects.select_for_update().get(user_id=person, key=key)
    if kept.digest != digest:
        raise KeyReusedError("This idempotency key came with another request. Use a new key for a new request.")
    if kept.status:
        return Response(kept.body, status=kept.status, headers={REPLAYED: "true"})
    answer = work()
    KeptAnswer.objects.filter(pk=kept.pk).update(status=answer.status_code, body=json.loads(_encode(answer.data)))
    return answer


def forget_old_answers() -> int:
    """Daily; how many there were."""
    return KeptAnswer.objects.filter(created__lt=timezone.now() - KEPT).delete()[0]
