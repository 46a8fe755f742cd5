"""The claim check: what does not fit into an invocation goes through object storage and only its URI travels."""

import base64
import hashlib
import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

from shipments.functions.runtime.errors import EnvelopeError, ItemError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S, READ_TIMEOUT_S, ATTEMPTS = 3, 20, 3


@cache
def client() -> "S3Client":
    """One S3 client per execution environment, made when it is first needed: importing boto3 costs 0.7 s."""
    import boto3
    from botocore.config import Config

    local = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return boto3.client(
        "s3",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            s3={"addressing_style": "path" if local else "auto"},
        ),
    )


def split_uri(uri: str) -> tuple[str, str]:
    """("bucket", "key") of "s3://bucket/key"; raises EnvelopeError when it is not one."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise EnvelopeError(f"not an object address of the form s3://bucket/key: {uri[:200]!r}")
    return bucket, key


def read_json(uri: str) -> Any:
    """The JSON value stored at `uri`. A missing, forbidden or unreadable object is an EnvelopeError that names it."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = split_uri(uri)
    try:
        body = client().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise EnvelopeError(
            f"the items at {uri} cannot be read ({code}): was the object written, or has it expired?"
        ) from error
    except BotoCoreError as error:
        raise EnvelopeError(f"object storage did not answer for {uri}: {error}") from error
    try:
        return json.loads(body)
    except ValueError as error:
        raise EnvelopeError(f"the object at {uri} is not JSON: {error}") from error


def write(bucket: str, key: str, content: bytes, content_type: str, *, sha256: bytes = b"") -> str:
    """Store `content` and return its URI. The same key and content twice changes nothing.

    S3 compares the bytes with their SHA-256 (made here unless given), refuses others and keeps it with the object.

    Raises ItemError("StorageUnavailable"), retryable, when storage refuses or does not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    checksum = base64.b64encode(sha256 or hashlib.sha256(content).digest()).decode()
    try:
        client().put_object(
            Bucket=bucket,
            Key=key,
            Body=content,
            ContentType=content_type,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=checksum,
        )
    except (BotoCoreError, ClientError) as error:
        raise ItemError("StorageUnavailable", f"the result could not be stored in {bucket}: {error}", True) from error
    return f"s3://{bucket}/{key}"
