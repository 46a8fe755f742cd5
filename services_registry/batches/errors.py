"""Errors of the batch engine, all meant for the person or tool that asked."""

from core.errors import RefusedError


class BatchError(RefusedError):
    """A batch cannot be started, retried or cancelled; the message says why and what to do."""

    code = "batch"
