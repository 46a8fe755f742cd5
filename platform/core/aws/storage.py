"""The claim check: what does not fit into an invocation travels through the exchange bucket.

Objects there are post, not archive: a lifecycle rule removes them after `EXCHANGE_EXPIRY_DAYS`. Whole objects are held
in memory only as JSON of at most `JSON_LIMIT`; everything else goes through files, a megabyte at a time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.utils.http import content_disposition_header

from core.aws.clients import boto_client
from core.aws.errors import AwsConflict, AwsNotFound, AwsRejected, translated

CHUNK_BYTES = 1 << 20
JSON_LIMIT = 64 << 20
"""Bytes of the largest JSON object that is read: it is parsed in memory, where it takes several times as much."""
COPY_LIMIT = 5 * 1000**3
"""Bytes that one CopyObject may copy (Amazon S3 API reference, read 2026-11-23); nothing here comes near it."""


def split_uri(uri: str) -> tuple[str, str]:
    """("bucket", "key") of "s3://bucket/key".

    Raises:
        AwsRejected: it is not such an address.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise AwsRejected(f"Not an object address of the form s3://bucket/key: {uri[:200]!r}", code="BadUri")
    return bucket, key


def put_bytes(key: str, body: bytes, *, bucket: str = "", content_type: str = "application/octet-stream") -> str:
    """Store an object and return its `s3://` address."""
    bucket = bucket or settings.EXCHANGE_BUCKET
    with translated(f"s3 put {key}"):
        boto_client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    return f"s3://{bucket}/{key}"


def put_stream(key: str, body: BinaryIO, *, bucket: str = "", content_type: str = "application/octet-stream") -> str:
    """Store an open file from its beginning, read piece by piece, and return its `s3://` address.

    S3 keeps the SHA-256 that was made on the way and refuses bytes that do not fit it.
    """
    bucket = bucket or settings.EXCHANGE_BUCKET
    body.seek(0)
    with translated(f"s3 put {key}"):
        boto_client("s3").put_object(
            Bucket=bucket, Key=key, Body=body, ContentType=content_type, ChecksumAlgorithm="SHA256"
        )
    return f"s3://{bucket}/{key}"


def put_json(key: str, value: Any, *, bucket: str = "") -> str:
    """Store a value as JSON and return its `s3://` address."""
    return put_bytes(key, json.dumps(value).encode(), bucket=bucket, content_type="application/json")


@contextmanager
def open_stream(uri: str, *, at_most: int | None = None) -> Iterator[BinaryIO]:
    """The object as a readable stream, closed afterwards.

    Raises:
        AwsNotFound: it is not there, or has expired.
        AwsRejected: it has more than `at_most` bytes; nothing of it was read.
    """
    bucket, key = split_uri(uri)
    with translated(f"s3 get {key}"):
        answer = boto_client("s3").get_object(Bucket=bucket, Key=key)
    with closing(answer["Body"]) as body, translated(f"s3 read {key}"):
        if at_most is not None and answer["ContentLength"] > at_most:
            message = f"The object at {uri} has {answer['ContentLength']:,} bytes; at most {at_most:,} are read here."
            raise AwsRejected(message, code="TooLarge")
        yield cast(BinaryIO, body)


def get_json(uri: str) -> Any:
    """The JSON value stored at `uri`.

    Raises:
        AwsNotFound: it is not there.
        AwsRejected: it is not JSON, or has more than `JSON_LIMIT` bytes.
    """
    with open_stream(uri, at_most=JSON_LIMIT) as stream:
        body = stream.read()
    try:
        return json.loads(body)
    except ValueError as error:
        raise AwsRejected(f"The object at {uri} is not JSON: {error}", code="NotJson") from error


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing shows it."""

    uri: str
    size: int
    modified: datetime


def list_objects(prefix: str, *, most: int = 10_000) -> list[Listed]:
    """The objects below `s3://bucket/prefix`, in the order of their names, `most` at most.

    Raises:
        AwsError: the bucket is not there, or cannot be listed.
    """
    bucket, key = split_uri(prefix)
    found: list[Listed] = []
    with translated(f"s3 list {key}"):
        for page in boto_client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
            for entry in page.get("Contents", []):
                found.append(Listed(f"s3://{bucket}/{entry['Key']}", int(entry["Size"]), entry["LastModified"]))
                if len(found) >= most:
                    return found
    return found


def copy_to_file(uri: str, target: BinaryIO) -> int:
    """Copy an object into an open file, a megabyte at a time; returns the number of bytes."""
    copied = 0
    with open_stream(uri) as stream:
        while piece := stream.read(CHUNK_BYTES):
            target.write(piece)
            copied += len(piece)
    return copied


def size_of(uri: str) -> int:
    """The object's bytes.

    Raises:
        AwsNotFound: it is not there.
    """
    bucket, key = split_uri(uri)
    with translated(f"s3 head {key}"):
        return int(boto_client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"])


def copy_object(uri: str, target: str, *, sha256: str) -> bool:
    """Copy an object inside S3, without its bytes passing here. True when S3 confirms the digest of what it wrote.

    S3 computes the SHA-256 of the copy itself; a copy that has another one, or none, is removed again. One call copies
    up to `COPY_LIMIT`, far above what a function can hand over, so there is no copying in parts.

    Args:
        sha256: hexadecimal, of the content the caller has checked.

    Raises:
        AwsNotFound: the source is not there, or has expired.
    """
    source_bucket, source_key = split_uri(uri)
    bucket, key = split_uri(target)
    client = boto_client("s3")
    with translated(f"s3 copy {source_key} to {key}"):
        answer = client.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource={"Bucket": source_bucket, "Key": source_key},
            ChecksumAlgorithm="SHA256",
        )
    stated = answer.get("CopyObjectResult", {}).get("ChecksumSHA256", "")
    if stated == base64.b64encode(bytes.fromhex(sha256)).decode():
        return True
    delete_object(target)
    return False


def signed_url(uri: str, *, filename: str, seconds: int) -> str:
    """An address that gives the object as a download under this name, without credentials, for `seconds`. Asks nobody."""
    bucket, key = split_uri(uri)
    values = {
        "Bucket": bucket,
        "Key": key,
        "ResponseContentDisposition": content_disposition_header(True, filename),
        "ResponseContentType": "application/octet-stream",
        "ResponseCacheControl": "private, no-store",
    }
    with translated(f"s3 sign {key}"):
        return str(boto_client("s3").generate_presigned_url("get_object", Params=values, ExpiresIn=seconds))


def delete_object(uri: str) -> None:
    """Remove one object; that it is gone already is fine."""
    bucket, key = split_uri(uri)
    with translated(f"s3 delete {key}"):
        boto_client("s3").delete_object(Bucket=bucket, Key=key)


def delete_prefix(prefix: str, *, bucket: str = "") -> int:
    """Remove all objects whose key begins with `prefix`; returns how many. An empty prefix is refused."""
    if not prefix:
        raise ValueError("an empty prefix would empty the bucket")
    bucket = bucket or settings.EXCHANGE_BUCKET
    client = boto_client("s3")
    removed = 0
    with translated(f"s3 delete {prefix}"):
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                removed += len(keys)
    return removed


def ensure_bucket(bucket: str = "") -> bool:
    """Make the exchange bucket with its expiry rule unless it is there; True when it was made. Safe to repeat."""
    bucket = bucket or settings.EXCHANGE_BUCKET
    client = boto_client("s3")
    try:
        with translated(f"s3 head {bucket}"):
            client.head_bucket(Bucket=bucket)
    except AwsNotFound:
        made = _create(client, bucket)
    else:
        made = False
    rule = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": settings.EXCHANGE_EXPIRY_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    with translated(f"s3 lifecycle {bucket}"):
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    return made


def _create(client: Any, bucket: str) -> bool:
    # us-east-1 is the one region that must not be named.
    place = {} if settings.AWS_REGION == "us-east-1" else {"LocationConstraint": settings.AWS_REGION}
    try:
        with translated(f"s3 create {bucket}"):
            client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
    except AwsConflict:
        return False
    return True
