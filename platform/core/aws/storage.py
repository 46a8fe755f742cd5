"""The claim check: what does not fit into an invocation travels through the exchange bucket.

Objects there are post, not archive: a lifecycle rule removes them after `EXPIRE_DAYS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, cast

from django.conf import settings

from core.aws.clients import boto_client
from core.aws.errors import AwsConflict, AwsNotFound, AwsRejected, translated

EXPIRE_DAYS = 7
CHUNK_BYTES = 1 << 20


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


def put_json(key: str, value: Any, *, bucket: str = "") -> str:
    """Store a value as JSON and return its `s3://` address."""
    return put_bytes(key, json.dumps(value).encode(), bucket=bucket, content_type="application/json")


@contextmanager
def open_stream(uri: str) -> Iterator[BinaryIO]:
    """The object as a readable stream, closed afterwards.

    Raises:
        AwsNotFound: it is not there, or has expired.
    """
    bucket, key = split_uri(uri)
    with translated(f"s3 get {key}"):
        body = boto_client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    with closing(body), translated(f"s3 read {key}"):
        yield cast(BinaryIO, body)


def get_json(uri: str) -> Any:
    """The JSON value stored at `uri`.

    Raises:
        AwsNotFound: it is not there.
        AwsRejected: it is not JSON.
    """
    with open_stream(uri) as stream:
        body = stream.read()
    try:
        return json.loads(body)
    except ValueError as error:
        raise AwsRejected(f"The object at {uri} is not JSON: {error}", code="NotJson") from error


def copy_to_file(uri: str, target: BinaryIO) -> int:
    """Copy an object into an open file, a megabyte at a time; returns the number of bytes."""
    copied = 0
    with open_stream(uri) as stream:
        while piece := stream.read(CHUNK_BYTES):
            target.write(piece)
            copied += len(piece)
    return copied


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
    rule = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": EXPIRE_DAYS}}
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
