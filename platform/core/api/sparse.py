"""Sparse answers: `?fields=id,status` gives only these fields, in lists and of one thing alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

FIELDS = OpenApiParameter(
    "fields", str, description="Names of the fields to answer with, separated by commas; all when it is not there."
)


def chosen_fields(request: Request, known: Sequence[str]) -> list[str]:
    """The names in `?fields=`, in the order of the API; empty when all are wanted.

    Raises:
        ValidationError: a name is not one of `known`.
    """
    asked = {name.strip() for name in request.query_params.get("fields", "").split(",") if name.strip()}
    if unknown := sorted(asked - set(known)):
        raise ValidationError({"fields": [f"Not a field: {', '.join(unknown)[:200]}. Possible: {', '.join(known)}."]})
    return [name for name in known if name in asked]


def thin(serializer: Any, chosen: Sequence[str]) -> Any:
    """The serializer with only the chosen fields; with all when nothing is chosen."""
    target: Any = getattr(serializer, "child", serializer)
    for name in set(target.fields) - set(chosen) if chosen else ():
        target.fields.pop(name)
    return serializer


class SparseMixin:
    """For view sets of model serializers; before the view set's class."""

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        view: Any = self
        serializer = super().get_serializer(*args, **kwargs)  # type: ignore[misc]  # of the view set beside it
        if view.action not in ("list", "retrieve") or getattr(view, "swagger_fake_view", False):
            return serializer
        target: Any = getattr(serializer, "child", serializer)
        return thin(serializer, chosen_fields(view.request, list(target.fields)))
