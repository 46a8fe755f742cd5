"""What makes a line that line: function, request id and a digest of the figures it states.

Lambda's own retries share a request id, so the id alone is not enough; see docs/decisions/0003.
"""

from __future__ import annotations

import hashlib

from services_registry.telemetry.parser import PlatformLine


def digest_of(line: PlatformLine) -> str:
    """16 hexadecimal digits of the figures that the line states."""
    stated = (line.duration_ms, line.billed_ms, line.memory_mb, line.max_memory_mb, line.init_ms, line.restore_ms)
    text = "|".join(["" if value is None else f"{value:.2f}" for value in stated])
    return digest_of_text(text)


def digest_of_text(text: str) -> str:
    """The same, of the figures with two decimals, parted by bars."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def key_of(function_id: int, request_id: str, digest: str) -> str:
    """32 hexadecimal digits under which a line is known. The migration makes the same with PostgreSQL's `md5`."""
    return hashlib.md5(f"{function_id}|{request_id}|{digest}".encode(), usedforsecurity=False).hexdigest()
