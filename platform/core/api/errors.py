"""The one shape of an error: `{"error": {"code", "message", "fields", "request_id"}}`.

`fields` holds words for people, by field. Where there are some, `details` says the same for programs: a list of
`{"field", "code", "message"}`, whose codes are stable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, JsonResponse
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.errors import RefusedError
from core.logs import current_origin

INVALID = "Some fields are not right; see `fields`."


def body(code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message, "fields": fields or {}, "request_id": current_origin()}
    if fields:
        error["details"] = list(_details(fields))
    return {"error": error}


def _details(said: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Every message with its field (parts of a field after a dot) and code."""
    if isinstance(said, dict):
        for name, inner in said.items():
            yield from _details(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(said, list | tuple):
        for inner in said:
            yield from _details(inner, path)
    else:
        field = "" if path == "non_field_errors" else path
        yield {"field": field, "code": str(getattr(said, "code", None) or "invalid"), "message": str(said)}


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
        said = error.error_dict if hasattr(error, "error_dict") else {"non_field_errors": error.error_list}
        return exceptions.ValidationError({name: _with_codes(errors) for name, errors in said.items()})
    return error


def _with_codes(errors: list[DjangoValidationError]) -> list[exceptions.ErrorDetail]:
    return [exceptions.ErrorDetail(one.messages[0], one.code or "invalid") for one in errors]


def _described(error: exceptions.APIException) -> tuple[str, str, dict[str, Any]]:
    """(code, message, fields) of a REST framework error."""
    if isinstance(error, exceptions.ValidationError):
        detail = error.detail
        fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
        return "invalid", INVALID, dict(fields)
    codes = error.get_codes()
    return (codes if isinstance(codes, str) else error.default_code), str(error.detail), {}


class ErrorDetailSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField(help_text="stable")
    message = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="stable")
    message = serializers.CharField(help_text="for people")
    fields = serializers.DictField()  # type: ignore[assignment]  # the answer's word; the base means its own fields
    request_id = serializers.CharField(help_text="also in the log")
    details = ErrorDetailSerializer(many=True, required=False)


class ErrorAnswerSerializer(serializers.Serializer[Any]):
    """For the description only: what every error looks like."""

    error = ErrorSerializer()
