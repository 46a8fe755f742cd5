"""Errors that are meant for the person or tool that asked."""

from __future__ import annotations


class RefusedError(Exception):
    """What was asked cannot be done, and the message says why and what to do. The API answers with `status`."""

    code = "refused"
    status = 409

    def __init__(self, message: str, *, code: str = "", fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = fields or {}
