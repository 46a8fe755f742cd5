"""Our own words for what can go wrong with AWS. Nobody outside `core.aws` sees botocore."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto

THROTTLES = frozenset(
    {
        "TooManyRequestsException",
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestLimitExceeded",
        "LimitExceededException",
        "SlowDown",
        "EC2ThrottledException",
    }
)
NOT_FOUND = frozenset({"ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "NotFound", "404"})
CONFLICTS = frozenset({"ResourceConflictException", "BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


class AwsError(Exception):
    """Base of all. The message is fit for an operator."""


class AwsUnreachable(AwsError):
    """No answer: no connection, a time-out, a broken connection, or AWS said that it is unwell (5xx).

    `sent` is False only when it is certain that AWS did not get the request.
    """

    def __init__(self, message: str, *, sent: bool = True, timed_out: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.timed_out = timed_out


class AwsThrottled(AwsError):
    """AWS asks to come back later; nothing was done. `retry_after` is in seconds, None when not said."""

    def __init__(self, message: str, *, retry_after: float | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reason = reason


class AwsRejected(AwsError):
    """AWS understood and refused. `code` is AWS's error code."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class AwsNotFound(AwsRejected):
    """The function, bucket, object or log group does not exist (or we may not know that it does)."""


class AwsConflict(AwsRejected):
    """It exists already, or another change to it is still under way."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn botocore's exceptions into ours; `what` names the call in the message, for example `lambda GetFunction`."""
    try:
        yield
    except boto.ClientError as error:
        raise from_answer(what, error) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError) as error:
        raise AwsRejected(f"{what}: no AWS credentials are configured.", code="NoCredentials") from error
    except (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError) as error:
        raise AwsUnreachable(f"{what}: AWS could not be reached ({error}).", sent=False) from error
    except boto.ReadTimeoutError as error:
        raise AwsUnreachable(f"{what}: AWS did not answer in time.", timed_out=True) from error
    except (boto.ParamValidationError, boto.UnknownRegionError, boto.NoRegionError) as error:
        raise AwsRejected(f"{what}: {error}", code=type(error).__name__) from error
    except boto.HTTPClientError as error:
        raise AwsUnreachable(f"{what}: the connection to AWS broke ({error}).") from error
    except boto.BotoCoreError as error:
        raise AwsRejected(f"{what}: {error}", code=type(error).__name__) from error


def from_answer(what: str, error: boto.ClientError) -> AwsError:
    """The exception for an error answer of AWS."""
    answer = error.response
    code = str(answer.get("Error", {}).get("Code", "Unknown"))
    message = str(answer.get("Error", {}).get("Message", "")) or code
    if "<html" in message.lower():  # a page of some proxy or stand-in: nothing in it is for people
        message = "answered with a page instead of data"
    metadata = answer.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    text = f"{what}: {message} ({code})"
    if code in THROTTLES or status == 429:
        wait = answer.get("retryAfterSeconds") or metadata.get("HTTPHeaders", {}).get("retry-after")
        return AwsThrottled(text, retry_after=_seconds(wait), reason=str(answer.get("Reason", "")))
    if code in NOT_FOUND or status == 404:
        return AwsNotFound(text, code=code)
    if code in CONFLICTS:
        return AwsConflict(text, code=code)
    if status >= 500:
        # A function that is still being set up was certainly not run; any other 5xx leaves it open.
        return AwsUnreachable(text, sent=code != "ResourceNotReadyException")
    return AwsRejected(text, code=code)


def _seconds(value: object) -> float | None:
    try:
        return max(0.0, float(str(value))) if value is not None else None
    except ValueError:
        return None
