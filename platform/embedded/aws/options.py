"""What one local AWS is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "123456789012"
"""The account number moto answers for."""
DEFAULT_REGION = "eu-central-1"
"""Used only for requests that are not signed and so name no region."""


@dataclass(frozen=True)
class Options:
    """Start-up arguments; times in seconds."""

    data: Path
    python: str
    port: int = 0
    retry_scale: float = 1.0
    """Factor on every wait of asynchronous invocation (60 s, 120 s, event ages, throttle backoff)."""
    idle_seconds: float = 300.0
    max_idle: int = 16
    """Idle environments kept over all functions; each holds 30-150 MB."""
    account_limit: int = 50
    """Concurrent executions of the account; AWS's default is 1,000, a laptop's is not."""
    init_seconds: float = 10.0
    """AWS's limit for the init phase."""
