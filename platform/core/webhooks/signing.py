"""Signatures of webhooks, those we send and those we get: HMAC-SHA256 over `<seconds since 1970>.<body>`, hexadecimal."""

from __future__ import annotations

import hashlib
import hmac

TIME_HEADER = "X-Hook-Timestamp"
SIGNATURE_HEADER = "X-Hook-Signature"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
