"""Errors that travel in an answer, and the one that refuses a request as a whole."""


class ItemError(Exception):
    """What went wrong with one item, in words an operator can act on.

    `type` is a short stable name ("NotFound", "AuthenticationFailed"), `message` a sentence, `retryable` says whether
    the same item may succeed when it is tried again unchanged.
    """

    def __init__(self, type: str, message: str, retryable: bool = False) -> None:  # noqa: A002  # the envelope's word
        super().__init__(message)
        self.type = type
        self.message = message
        self.retryable = retryable


class EnvelopeError(ValueError):
    """The request is not a batch envelope of version 1: the whole invocation fails, nothing was attempted."""
