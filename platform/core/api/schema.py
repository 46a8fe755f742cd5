"""How the API's description names our bearer tokens, and that every error has one shape."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular registers untyped
    target_class = "core.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key issued under Account, sent as `Bearer spt_…`.",
        }


def errors_everywhere(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Any refusal (4XX) and any fault (5XX) is an ErrorAnswer; spectacular's hook, run over the whole description."""
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, words in (("4XX", "Refused; `error.code` says why."), ("5XX", "A fault on our side.")):
                operation["responses"].setdefault(status, {"content": answer, "description": words})
    return result
