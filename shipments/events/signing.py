"""Signatures of webhooks: HMAC-SHA256 over `<seconds since 1970>.<body>`, in hexadecimal, with the carrier's secret.

The moment is signed too, and must lie within five minutes of ours: a request that was overheard cannot be sent again
later.
"""

from __future__ import annotations

import hmac

from core.webhooks.signing import SIGNATURE_HEADER, TIME_HEADER, sign

TOLERANCE_S = 300

__all__ = ["SIGNATURE_HEADER", "TIME_HEADER", "BadSignatureError", "check", "sign"]


class BadSignatureError(Exception):
    """The request is not shown to come from the carrier; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check(secret: str, timestamp: str, signature: str, body: bytes, *, now_s: float) -> None:
    """Raises BadSignatureError."""
    if not timestamp or not signature:
        raise BadSignatureError("signature_missing", f"Send the headers {TIME_HEADER} and {SIGNATURE_HEADER}.")
    expected = sign(secret, timestamp, body).encode()
    if not hmac.compare_digest(expected, signature.strip().lower().removeprefix("sha256=").encode()):
        raise BadSignatureError("signature_wrong", "The signature does not fit the timestamp and the body.")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(int(timestamp[:15]) - now_s) > TOLERANCE_S:
        raise BadSignatureError(
            "signature_old", "The timestamp is not within five minutes of now (seconds since 1970)."
        )
