"""What writes over the API are checked by."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names it does not know: a mistyped limit must not mean "no limit"."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            words = "There is no such field."
            raise serializers.ValidationError({name: [ErrorDetail(words, "unknown_field")] for name in unknown})
        return super().to_internal_value(data)


def read(kind: type[serializers.Serializer[Any]], request: Request, **options: Any) -> dict[str, Any]:
    """The checked body. Raises ValidationError."""
    asked = kind(data=request.data, **options)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)
