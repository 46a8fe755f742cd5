"""The one shape of an error: `{"error": {"code", "message", "fields", "request_id"}}`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.errors import RefusedError
from core.logs import current_origin

INVALID = "Some fields are not right; see `fields`."


def body(code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": fields or {}, "request_id": current_origin()}}


def json_error(status: int, code: str, message: str) -> JsonResponse:
    """The same shape for errors met before or outside REST framework (unknown address, crash)."""
    return JsonResponse(body(code, message), status=status)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. `None` for what nobody foresaw: Django then logs it and answers 500."""
    answered = _translate(error)
    if isinstance(answered, RefusedError):
        set_rollback()
        return Response(body(answered.code, answered.message, answered.fields), status=answered.status)
    if not isinstance(answered, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if header := getattr(answered, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(answered, "wait", None):
        headers["Retry-After"] = str(int(wait))
    code, message, fields = _described(answered)
    return Response(body(code, message, fields), status=answered.status_code, headers=headers)


def _translate(error: Exception) -> Exception:
    if isinstance(error, Http404):
        return exceptions.NotFound(*error.args)
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied(*error.args)
    if isinstance(error, DjangoValidationError):
        detail = error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
        return exceptions.ValidationError(detail)
    return error


def _described(error: exceptions.APIException) -> tuple[str, str, dict[str, Any]]:
    """(code, message, fields) of a REST framework error."""
    if isinstance(error, exceptions.ValidationError):
        detail = error.detail
        fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
        return "invalid", INVALID, dict(fields)
    codes = error.get_codes()
    return (codes if isinstance(codes, str) else error.default_code), str(error.detail), {}
